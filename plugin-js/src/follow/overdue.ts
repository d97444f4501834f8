/** For the question itself, and until all replicas have looked for its answer */
const ANSWERED_MS = 2_500;
/** Replicas find out within so long of each other, so that mostly one of them asks */
const SPREAD_MS = 1_500;

/**
 * Whether nobody has asked Microsoft Graph in time. The replica whose turn it was may have been killed, and Backstage's scheduler gives its
 * turn to another one only minutes later.
 */
export class Overdue {
  readonly #lateMs: number;
  readonly #monotonic: () => number;
  #asked = -Infinity;

  /** @param everyMs how old what is known may become, on every replica */
  constructor(everyMs: number, random: () => number = Math.random, monotonic: () => number = () => performance.now()) {
    this.#lateMs = everyMs - ANSWERED_MS - random() * SPREAD_MS;
    this.#monotonic = monotonic;
  }

  /**
   * Whether this replica is to ask now, which it is about once in `everyMs` at the most
   * @param ageMs of what is asked for by changes; `undefined` where everything is still being loaded
   */
  now(ageMs: number | undefined): boolean {
    const now = this.#monotonic();
    if (ageMs === undefined || ageMs < this.#lateMs || now - this.#asked < this.#lateMs) return false;
    this.#asked = now;
    return true;
  }
}
