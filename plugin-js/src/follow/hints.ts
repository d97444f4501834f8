/** Between two questions that hints bring about, in milliseconds */
const GAP_MS = 1_000;
/** Graph may tell of a change before its delta query does: it is asked again so much later */
const AGAIN_MS = [3_000, 10_000];

/** Hints that something of a tenant has changed: however many come, Graph is asked once in a second, and twice more after the last one */
export class Hints {
  /** Never fails */
  readonly #ask: () => Promise<unknown>;
  #timer?: NodeJS.Timeout;
  #asking = false;
  #noted = false;
  #again = 0;
  #last = -GAP_MS;
  #closed = false;

  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask;
  }

  note(): void {
    this.#again = 0;
    this.#noted = true;
    if (!this.#asking) this.#schedule(this.#last + GAP_MS - performance.now());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, ms));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    [this.#asking, this.#noted] = [true, false];
    await this.#ask();
    this.#last = performance.now();
    this.#asking = false;
    if (this.#noted) return this.#schedule(GAP_MS);
    // Also where something was found: it may have been an earlier change.
    const pause = AGAIN_MS[this.#again++];
    if (pause !== undefined) this.#schedule(pause);
  }
}
