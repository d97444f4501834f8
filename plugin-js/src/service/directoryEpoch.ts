/** How often a reading of the directory may be asked for, in milliseconds */
const ASK_MS = 500;

const DONE = Promise.resolve();

/**
 * The epoch: which directory this process has, as a number that means the same in every process (docs/decisions/0005).
 *
 * The plugin's database gives the numbers out; 0 stands for no directory yet, and for a process without the plugin.
 */
export class DirectoryEpoch {
  #current = 0;
  #asked = 0;
  #catchUp?: () => Promise<void>;
  #reaching?: Promise<void>;

  /** Number of the directory that the core has */
  get current(): number {
    return this.#current;
  }

  /** To be called in the same turn of the event loop in which the core takes the directory */
  set current(epoch: number) {
    this.#current = epoch;
  }

  /** Says how to get the newest directory */
  follow(catchUp: () => Promise<void>): void {
    this.#catchUp = catchUp;
  }

  /** Gets the newest directory when somebody has a newer one than this process; never fails: it may still be behind then */
  reach(epoch: number): Promise<void> {
    if (this.#reaching) return this.#reaching;
    const now = Date.now();
    // Whoever asks may ask for a number that does not exist: it must not keep the catalog busy.
    if (epoch <= this.#current || !this.#catchUp || now - this.#asked < ASK_MS) return DONE;
    this.#asked = now;
    this.#reaching = this.#catchUp().finally(() => (this.#reaching = undefined));
    return this.#reaching;
  }
}
