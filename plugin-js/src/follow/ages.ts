/** Clocks of two machines, and of one before and after it was set, differ by so many milliseconds at the most */
const TOLERANCE_MS = 5_000;

interface Seen {
  completedAt: number;
  /** When it was first seen, on the clock that nobody can set */
  at: number;
  age: number;
}

/**
 * How old what a database says is: by the database's clock, which all replicas share, and by the time that has passed here since
 * it said so first. The longer of the two counts, so that a clock that was set back makes nothing young.
 */
export class Ages {
  readonly #seen = new Map<string, Seen>();
  readonly #monotonic: () => number;

  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /**
   * @param completedAt,now by the clock of the database, in milliseconds
   * @param asked when the database was asked for them, on the clock that nobody can set: what took time since made nothing younger
   * @returns milliseconds; `undefined` for a moment that is still to come, of which nothing can be said
   */
  seen(key: string, completedAt: number, now: number, asked = this.#monotonic()): number | undefined {
    if (completedAt > now + TOLERANCE_MS) return undefined;
    const known = this.#seen.get(key);
    const at = known?.completedAt === completedAt ? known.at : asked;
    const current = this.#monotonic();
    const age = Math.max(Math.max(0, now - completedAt) + current - asked, current - at);
    this.#seen.set(key, { completedAt, at, age: age - (current - at) });
    return age;
  }

  /** The same a while later */
  of(key: string): number | undefined {
    const known = this.#seen.get(key);
    return known && known.age + (this.#monotonic() - known.at);
  }
}
