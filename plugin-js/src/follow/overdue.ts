/** Until this replica looks for what is due, for the question itself, and until all others have looked for its answer */
const ANSWERED_MS = 4_500;
/** Replicas find out within so long of each other, so that mostly one of them asks */
const SPREAD_MS = 1_500;

/**
 * Asks Microsoft Graph where nobody else has in time. The replica whose turn it was may have been killed, and Backstage's scheduler gives its
 * turn to another one only minutes later.
 */
export class Overdue {
  readonly #lateMs: number;
  /** Never fails */
  readonly #ask: () => Promise<unknown>;
  readonly #monotonic: () => number;
  #asked = -Infinity;
  #asking = false;

  /** @param everyMs how old what is known may become, on every replica */
  constructor(
    everyMs: number,
    ask: () => Promise<unknown>,
    random: () => number = Math.random,
    monotonic: () => number = () => performance.now(),
  ) {
    this.#ask = ask;
    this.#lateMs = everyMs - ANSWERED_MS - random() * SPREAD_MS;
    this.#monotonic = monotonic;
  }

  /**
   * Asks, if it is due: about once in `everyMs` at the most, and never beside a question under way
   * @param ageMs of what is asked for by changes; `undefined` where everything is still being loaded
   */
  look(ageMs: number | undefined): void {
    const now = this.#monotonic();
    if (this.#asking || ageMs === undefined || ageMs < this.#lateMs || now - this.#asked < this.#lateMs) return;
    [this.#asked, this.#asking] = [now, true];
    void this.#ask().finally(() => (this.#asking = false));
  }
}
