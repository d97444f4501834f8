import type { CoreLife } from './life';
import type { Freshly } from './types';
import type { WasmCore } from './wasm';

/** So far the clock of another machine may be ahead of this one's, in seconds; what is more cannot be judged */
const CLOCKS_DIFFER_SECONDS = 60;

interface FreshnessOptions {
  staleAfter?: number;
  /** Milliseconds since the epoch */
  wall: () => number;
  /** Milliseconds since whenever, by a clock that nobody can set */
  monotonic?: () => number;
}

/** A tenant of which it was told when it was last known whole */
interface Round {
  /** Seconds since the epoch, by the clock of whoever asked Microsoft Graph */
  completedAt: number;
  /** When this stops to count, in milliseconds: by this machine's clock, and by the one that nobody can set */
  until: number;
  untilMonotonic: number;
  /** Whether it has stopped */
  stale: boolean;
  error?: string;
}

/**
 * How far each tenant is known, and until when that counts (`entraAccess.groups.graph.staleAfter`).
 *
 * No timer can be missed: each question to the core looks at the clock first. A clock that is set back cannot make anything younger,
 * as a monotonic one counts beside it; one that is set forward only makes it too old.
 */
export class Freshness {
  /** For how many seconds a tenant counts as known; 0 where groups come with the tokens and nothing is followed */
  readonly staleAfter: number;
  readonly #life: CoreLife;
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #rounds = new Map<string, Round>();
  #nextUntil = Infinity;
  #nextMonotonic = Infinity;
  #seen = -1;

  constructor(life: CoreLife, { staleAfter = 0, wall, monotonic = () => performance.now() }: FreshnessOptions) {
    this.#life = life;
    this.staleAfter = staleAfter;
    this.#wall = wall;
    this.#monotonic = monotonic;
  }

  /**
   * Tells when a tenant was last known whole, its groups and its accounts, in seconds since the epoch; to be told as often as one
   * likes. Whatever is older than `staleAfter` makes its groups unknown, and so does a time that has not come yet.
   */
  set(tenantId: string, completedAtSeconds: number): void {
    if (!Number.isSafeInteger(completedAtSeconds) || completedAtSeconds < 0 || completedAtSeconds > 0xffff_ffff)
      throw new RangeError('a time is given in whole seconds since 1970');
    // The same again is not younger than it was.
    if (this.#rounds.get(tenantId)?.completedAt === completedAtSeconds) return;
    const [now, monotonic] = [this.#wall(), this.#monotonic()];
    const age = now / 1000 - completedAtSeconds;
    const ahead = age < -CLOCKS_DIFFER_SECONDS;
    const left = ahead ? 0 : this.staleAfter - Math.max(0, age);
    const round: Round = {
      completedAt: completedAtSeconds,
      until: now + left * 1000,
      untilMonotonic: monotonic + left * 1000,
      stale: left <= 0,
      ...(ahead ? { error: `the time of the last round is ${Math.round(-age)} s ahead of this machine's clock` } : {}),
    };
    this.#rounds.set(tenantId, round);
    this.#tell(tenantId, round);
    this.#plan();
  }

  /** Looks whether something has become too old by now (milliseconds since the epoch); then an epoch begins */
  passed(now: number): void {
    if (this.#nextUntil === Infinity || now === this.#seen) return;
    this.#seen = now;
    const monotonic = this.#monotonic();
    if (now < this.#nextUntil && monotonic < this.#nextMonotonic) return;
    for (const [tenantId, round] of this.#rounds) {
      if (round.stale || (now < round.until && monotonic < round.untilMonotonic)) continue;
      round.stale = true;
      this.#tell(tenantId, round);
    }
    this.#plan();
  }

  /** Every tenant of which anything was told */
  get states(): Freshly[] {
    const now = this.#wall();
    this.passed(now);
    return [...this.#rounds].map(([tenant, { completedAt, stale, error }]) => ({
      tenant,
      completedAt,
      ageSeconds: Math.max(0, Math.round(now / 1000 - completedAt)),
      stale,
      ...(error === undefined ? {} : { error }),
    }));
  }

  #tell(tenantId: string, round: Round): void {
    const profile = this.#life.tenant(tenantId);
    if (profile === undefined) return;
    const telling = (core: WasmCore) => {
      const until = round.stale ? 0 : Math.floor(round.until / 1000);
      return core.set_round(profile, round.completedAt, until, (this.#wall() / 1000) >>> 0);
    };
    this.#life.remind(`round of ${tenantId}`, telling);
  }

  #plan(): void {
    const open = [...this.#rounds.values()].filter(({ stale }) => !stale);
    this.#nextUntil = Math.min(...open.map(({ until }) => until));
    this.#nextMonotonic = Math.min(...open.map(({ untilMonotonic }) => untilMonotonic));
  }
}
