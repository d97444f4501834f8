/** What the soak has seen: how old answers were, how long changes took, what was not answered. */
import type { Asked } from './load';

/** An answer that was given of a state that had ended so long before it was asked for */
export interface Late {
  ms: number;
  answer: boolean;
  replica?: string;
  /** Milliseconds since the soak began */
  at: number;
}

export class Tally {
  readonly #begun = performance.now();
  readonly #states = new Map<number, number>();
  /** How long the answer ALLOW outlived each change that took something away, as far as anybody asked */
  readonly #outlived = new Map<string, number>();
  readonly #missed = new Map<string, number>();
  #answers = 0;
  #oldestAllow: Late = { ms: 0, answer: true, at: 0 };
  #oldestDeny: Late = { ms: 0, answer: false, at: 0 };
  #tooOld = 0;

  /** @param boundMs an ALLOW of a state that ended longer ago is counted as one too old */
  constructor(private readonly boundMs: number) {}

  see(asked: Asked): void {
    this.#states.set(asked.status, (this.#states.get(asked.status) ?? 0) + 1);
    const { allowed, person, askedAt, replica } = asked;
    if (allowed === undefined) return;
    this.#answers += 1;
    const { ms, change } = person.truth.age(allowed, askedAt);
    if (change === undefined) return;
    const late: Late = { ms, answer: allowed, replica, at: askedAt - this.#begun };
    const lasting = allowed ? this.#outlived : this.#missed;
    const key = `${person.id} ${change}`;
    lasting.set(key, Math.max(lasting.get(key) ?? 0, ms));
    if (allowed && ms > this.boundMs) this.#tooOld += 1;
    if (allowed && ms > this.#oldestAllow.ms) this.#oldestAllow = late;
    if (!allowed && ms > this.#oldestDeny.ms) this.#oldestDeny = late;
  }

  /** ALLOWs of a state that had ended longer ago than the bound */
  get tooOld(): number {
    return this.#tooOld;
  }

  /** Lines of the report; `taken` and `given` are the numbers of changes of each sort */
  lines(taken: number, given: number): Array<[string, string]> {
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    const of = (map: Map<string, number>, all: number) => {
      // A change that nobody saw the old answer after counts as one that took no time.
      const sorted = [...map.values(), ...Array<number>(Math.max(0, all - map.size)).fill(0)].sort((a, b) => a - b);
      const at = (share: number) =>
        seconds(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
      return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}`;
    };
    const states = [...this.#states].sort().map(([status, count]) => `${count} x ${status || 'no answer'}`);
    return [
      ['requests', states.join(', ')],
      ['answers that say yes or no', String(this.#answers)],
      [`yes after it was taken away (${taken} changes)`, of(this.#outlived, taken)],
      [`no after it was given (${given} changes)`, of(this.#missed, given)],
      ['oldest yes', `${seconds(this.#oldestAllow.ms)} old, at ${seconds(this.#oldestAllow.at)}`],
      ['oldest no', `${seconds(this.#oldestDeny.ms)} old, at ${seconds(this.#oldestDeny.at)}`],
      [`yes of a state older than ${seconds(this.boundMs)}`, String(this.#tooOld)],
    ];
  }
}
