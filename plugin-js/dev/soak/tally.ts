/** What the soak has seen: how old answers were, how long changes took on each replica, what was not answered. */
import type { Asked } from './load';
import { percentiles, seconds, type Percentiles } from './percentiles';
import type { Phase, Phases } from './schedule';

/** Ages are whole seconds */
const ROUNDED_MS = 1_000;

/** How one change came to one replica, as far as anybody asked it; milliseconds */
interface Arrival {
  changedAt: number;
  /** Whether it gave */
  given: boolean;
  /** The last answer of the state before was asked for then */
  lastWrong?: number;
  /** The first answer of the state after came then, and no other one since */
  right?: number;
}

export class Tally {
  readonly #staleMs: number;
  readonly #phases: Phases;
  readonly #statuses = new Map<number, number>();
  readonly #arrivals = new Map<string, Arrival>();
  readonly #waits: number[] = [];
  /** Questions that had no answer that says yes or no, by what came instead */
  readonly unanswered = new Map<string, number>();
  /** Yes of a state that had ended longer ago than it may count, and the oldest one, in milliseconds */
  readonly yes = { tooOld: 0, oldest: 0 };
  /** Answers while nothing counted any more, and those among them that say yes */
  readonly stale = { answers: 0, yes: 0 };

  /** @param staleMs for how long what is known counts */
  constructor(staleMs: number, phases: Phases) {
    this.#staleMs = staleMs;
    this.#phases = phases;
  }

  see({ answer, askedAt, answeredAt, code, direct, person: { id, truth }, replica, status }: Asked): void {
    // Whoever asks a replica that is killed meanwhile has no answer; whoever asks the address has one.
    if (answer === undefined && direct) return;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    this.#waits.push(answeredAt - askedAt);
    if (answer === undefined) {
      const what = `${status || 'nothing'}${code ? ` ${code}` : ''}`;
      this.unanswered.set(what, (this.unanswered.get(what) ?? 0) + 1);
      return;
    }
    const allowed = answer === 'allow';
    const { ms } = truth.age(allowed, askedAt);
    if (allowed) this.yes.oldest = Math.max(this.yes.oldest, ms);
    if (allowed && ms > this.#staleMs) this.yes.tooOld += 1;
    // Whoever is answered once Graph is back may be answered by what is known since.
    if (this.#phases.awayFor(askedAt) > this.#staleMs + ROUNDED_MS && this.#phases.awayFor(answeredAt) > 0) {
      this.stale.answers += 1;
      if (allowed) this.stale.yes += 1;
    }
    // What changed while it was on its way says nothing.
    if (truth.changedAt === 0 || askedAt < truth.changedAt) return;
    const key = `${id} ${truth.changedAt} ${replica}`;
    const arrival = this.#arrivals.get(key) ?? { changedAt: truth.changedAt, given: truth.allowed };
    // When it arrives is known of replicas that are watched; others are asked too seldom, and may have begun since.
    if (!direct && !this.#arrivals.has(key)) return;
    this.#arrivals.set(key, arrival);
    if (allowed === truth.allowed) arrival.right ??= answeredAt;
    else [arrival.lastWrong, arrival.right] = [askedAt, undefined];
  }

  /**
   * How long what was taken, or given, in a phase took until a replica answered by it: never shorter than it was, but for those that were
   * overtaken by another change, which lasted as long as the last wrong answer says at least
   */
  arrivals(phase: Phase, given: boolean): Percentiles {
    const found = [...this.#arrivals.values()].filter(
      each => each.given === given && this.#phases.of(each.changedAt) === phase,
    );
    return percentiles(found.map(({ changedAt, lastWrong, right }) => (right ?? lastWrong ?? changedAt) - changedAt));
  }

  /** Milliseconds in which 95 of 100 were answered: times are no more exact than that */
  get answeredIn(): number {
    return percentiles(this.#waits).p95;
  }

  /** Lines of the report */
  lines(): Array<[string, string]> {
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b);
    const phases: Phase[] = ['quiet', 'replica killed', 'Graph away'];
    return [
      ['requests', statuses.map(([status, count]) => `${count} x ${status || 'no answer'}`).join(', ')],
      ['neither yes nor no', [...this.unanswered].map(([what, count]) => `${count} x ${what}`).join(', ') || 'none'],
      ['answered within', textOf(percentiles(this.#waits))],
      ...phases.flatMap((phase): Array<[string, string]> => [
        [`refused after it was taken away, ${phase}`, textOf(this.arrivals(phase, false))],
        [`allowed after it was given, ${phase}`, textOf(this.arrivals(phase, true))],
      ]),
      ['oldest yes', `of a state that had ended ${seconds(this.yes.oldest)} before`],
      [`yes of a state older than ${seconds(this.#staleMs)}`, String(this.yes.tooOld)],
      ['while nothing counted any more', `${this.stale.answers} answers, ${this.stale.yes} of them yes`],
    ];
  }
}

function textOf({ count, p50, p95, p99, longest }: Percentiles): string {
  if (count === 0) return 'none';
  return `p50 ${seconds(p50)}, p95 ${seconds(p95)}, p99 ${seconds(p99)}, longest ${seconds(longest)} (${count})`;
}
