/** How often a reading of the directory may be asked for, in milliseconds */
const ASK_MS = 500;

const DONE = Promise.resolve();

/**
 * The epoch: which directory this process has, as a number that means the same in every process (docs/decisions/0005).
 *
 * The plugin's database gives the numbers out; 0 stands for no directory yet, and for a process without the plugin. Where members
 * of groups are followed they are part of it: a number counts here when catalog and members are what it stands for.
 */
export class DirectoryEpoch {
  #current = 0;
  /** Of the catalog: its number, and the one with which members had changed last by then */
  #catalog = { epoch: 0, members: 0 };
  #members?: number;
  #asked = 0;
  #catchUp?: () => Promise<void>;
  #reaching?: Promise<void>;

  /** Number of the directory that the core has */
  get current(): number {
    return this.#current;
  }

  /** The number of what the core has of the catalog; it counts as soon as the members are here, too */
  get catalog(): number {
    return this.#catalog.epoch;
  }

  /** To be called in the same turn of the event loop in which the core takes what the catalog says, or is found to have it */
  catalogIs(epoch: number, members = 0): void {
    this.#catalog = { epoch, members };
    this.#settle();
  }

  /** Members of groups are part of the directory from now on */
  followMembers(): void {
    this.#members ??= 0;
  }

  /** To be called as soon as the core has taken the members that have this number, and never before */
  membersAre(members: number): void {
    this.#members = members;
    this.#settle();
  }

  #settle(): void {
    if (this.#members === undefined || this.#members >= this.#catalog.members) this.#current = this.#catalog.epoch;
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
