import { createRemoteJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose';
import { errorWord } from '../service/errorWord';

/** Most times in {@link WINDOW_MS} that keys are got again although they were got a moment ago, as many as Backstage allows itself */
const RELOADS = 10;
const WINDOW_MS = 60_000;
/** Where the auth backend is found: one address, or a few that take turns */
const ADDRESSES = 100;

/** What jose says of keys that could not be got, while everything else that it says is about the token */
const NO_KEYS: ReadonlySet<string> = new Set([errors.JOSEError.code, errors.JWKSInvalid.code, errors.JWKSTimeout.code]);

/** The keys could not be got; the message says why in a word, and quotes nothing */
export class NoKeysError extends Error {}

/**
 * The keys that the auth backend signs user tokens with.
 *
 * Each replica of it makes keys of its own, so that one may be unknown that is good. Within half a minute of the last time jose does not
 * look for it again; this does, as Backstage's own client does, but not as often as anybody likes who makes up tokens.
 */
export class PublishedKeys {
  readonly #address: () => Promise<string>;
  readonly #clock: () => number;
  readonly #keys = new Map<string, ReturnType<typeof createRemoteJWKSet>>();
  #reloads: number[] = [];

  /** `address`: where the keys are */
  constructor(address: () => Promise<string>, clock: () => number = Date.now) {
    this.#address = address;
    this.#clock = clock;
  }

  /**
   * The key for a token, as jose asks for it.
   * @throws NoKeysError, or an error of jose about the token
   */
  async key(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    try {
      const keys = await this.#published();
      const coolingDown = keys.coolingDown;
      try {
        return await keys(header, token);
      } catch (error) {
        const again = error instanceof errors.JWKSNoMatchingKey && coolingDown && (keys.reloading || this.#mayReload());
        if (!again) throw error;
        await keys.reload();
        return await keys(header, token);
      }
    } catch (error) {
      if (error instanceof errors.JOSEError && !NO_KEYS.has(error.code)) throw error;
      throw new NoKeysError(errorWord(error, 'failed'));
    }
  }

  #mayReload(): boolean {
    const now = this.#clock();
    this.#reloads = this.#reloads.filter(at => at > now - WINDOW_MS);
    if (this.#reloads.length >= RELOADS) return false;
    this.#reloads.push(now);
    return true;
  }

  async #published(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const url = await this.#address();
    const keys = this.#keys.get(url) ?? createRemoteJWKSet(new URL(url));
    if (this.#keys.size > ADDRESSES) this.#keys.clear();
    this.#keys.set(url, keys);
    return keys;
  }
}
