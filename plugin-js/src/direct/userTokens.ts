/** Most callers whose Backstage tokens are kept; the one that called longest ago goes first. About 6 KB each */
const CAPACITY = 4096;
/** A Backstage token that lost its session is replaced, at most so often: the session may be kept in another process */
const REPLACE_SECONDS = 10;

/** A Backstage user token that was got for an Entra token */
export interface UserToken {
  token: string;
  entityRef: string;
  /** Seconds since the epoch, from which on it is not handed out any more */
  until: number;
}

interface Entry {
  /** Shared by everybody who comes with the token while it is being exchanged */
  exchange: Promise<UserToken>;
  /** Seconds since the epoch */
  since: number;
  /** `undefined` while the exchange is under way */
  user?: UserToken;
}

/**
 * The Backstage user tokens of direct callers, by the very Entra token that each was got for.
 *
 * What is kept proves nothing: the core judges the Entra token again at every call, and only then is this asked.
 */
export class UserTokens {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: () => number;
  readonly #capacity: number;

  constructor(options: { clock?: () => number; capacity?: number } = {}) {
    this.#clock = options.clock ?? Date.now;
    this.#capacity = options.capacity ?? CAPACITY;
  }

  /** Number of tokens kept */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether the token was exchanged, or is about to be */
  has(entraToken: string): boolean {
    return this.#entries.has(entraToken);
  }

  /** The Backstage token for an Entra token; `exchange` gets one where none is kept */
  get(entraToken: string, exchange: () => Promise<UserToken>): Promise<UserToken> {
    const kept = this.#entries.get(entraToken);
    if (kept && (kept.user === undefined || this.#now() < kept.user.until)) {
      this.#keep(entraToken, kept);
      return kept.exchange;
    }
    const entry: Entry = { exchange: exchange(), since: this.#now() };
    this.#keep(entraToken, entry);
    entry.exchange.then(
      user => (entry.user = user),
      () => this.#dropEntry(entraToken, entry),
    );
    return entry.exchange;
  }

  /** The same after the session of `stale` was lost */
  replace(entraToken: string, stale: UserToken, exchange: () => Promise<UserToken>): Promise<UserToken> {
    const kept = this.#entries.get(entraToken);
    if (kept?.user === stale && this.#now() - kept.since >= REPLACE_SECONDS) this.drop(entraToken);
    return this.get(entraToken, exchange);
  }

  /** Forgets a token that was refused */
  drop(entraToken: string): void {
    this.#entries.delete(entraToken);
  }

  #now(): number {
    return this.#clock() / 1000;
  }

  /** Only this entry: another may have taken its place */
  #dropEntry(entraToken: string, entry: Entry): void {
    if (this.#entries.get(entraToken) === entry) this.drop(entraToken);
  }

  /** Last in the order of the Map, which is the order of use */
  #keep(entraToken: string, entry: Entry): void {
    this.#entries.delete(entraToken);
    this.#entries.set(entraToken, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(oldest);
    }
  }
}
