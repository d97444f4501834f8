import type { Authentication } from './types';

/** Letters at the end of a token by which it is looked up: 192 bits of its signature */
const SUFFIX = 32;

interface Entry {
  token: string;
  answer: Authentication;
  /** Seconds since the epoch */
  until: number;
  admission: number;
}

/**
 * Accepted tokens and the principals that the core gave for them.
 *
 * Looked up by the end of the signature and then compared whole: a good signature under a changed payload is another token.
 * Only acceptances are kept, never beyond `exp`, and only within one epoch, key set and instance of the core
 * ({@link TokenCache.clear}). The core's own table is bounded and gives up the oldest: an entry counts only while its
 * principal must still be in it.
 */
export class TokenCache {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  #admissions = 0;

  /** @param capacity number of principals that the core's table holds */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of tokens kept */
  get size(): number {
    return this.#entries.size;
  }

  /** The answer for exactly this token */
  find(token: string, now: number): Authentication | undefined {
    const entry = this.#entries.get(token.slice(-SUFFIX));
    if (entry === undefined || entry.token !== token || now >= entry.until) return undefined;
    return this.#admissions - entry.admission < this.#capacity ? entry.answer : undefined;
  }

  /** Counts a principal that the core has taken in; without `until` its token is not kept */
  admitted(token: string, answer: Authentication, until?: number): void {
    this.#admissions += 1;
    if (until === undefined) return;
    const key = token.slice(-SUFFIX);
    // Deleted first, so that the order of the Map stays the order of admission.
    this.#entries.delete(key);
    this.#entries.set(key, { token, answer: Object.freeze(answer), until, admission: this.#admissions });
    if (this.#entries.size > this.#capacity) this.#dropOldest();
  }

  /** Forgets everything: keys, policy or directory have changed, or the core was restarted */
  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
