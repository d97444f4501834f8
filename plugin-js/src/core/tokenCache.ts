import type { Authentication } from './types';

/** Letters at the end of a token by which it is looked up: they are of its signature, so they are as good as random */
const SUFFIX = 6;

interface Entry {
  token: string;
  answer: Authentication;
  /** Milliseconds since the epoch */
  until: number;
  admission: number;
}

/**
 * Accepted tokens and the principals that the core gave for them.
 *
 * Looked up by the end of the signature and then compared whole: a good signature under a changed payload is another token.
 * Only acceptances are kept, never beyond `exp`, and only within one epoch, key set and instance of the core
 * ({@link TokenCache.clear}). The core's own table is bounded and gives up the oldest: an entry counts only while its
 * principal must still be in it. That holds because no caller by token is ever released before its turn.
 */
export class TokenCache {
  readonly #capacity: number;
  readonly #entries = new Map<number, Entry>();
  #admissions = 0;

  /** @param capacity number of principals that the core's table holds */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of tokens kept */
  get size(): number {
    return this.#entries.size;
  }

  /** The answer for exactly this token; `now` in milliseconds since the epoch */
  find(token: string, now: number): Authentication | undefined {
    const entry = this.#entries.get(suffixOf(token));
    if (entry === undefined || entry.token !== token || now >= entry.until) return undefined;
    return this.#admissions - entry.admission < this.#capacity ? entry.answer : undefined;
  }

  /** Counts a principal that the core has taken in; without `until` (milliseconds) its token is not kept */
  admitted(token: string, answer: Authentication, until?: number): void {
    this.#admissions += 1;
    if (until === undefined) return;
    const key = suffixOf(token);
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

/** A number of 32 bits: it only has to spread, the whole token is compared afterwards */
function suffixOf(token: string): number {
  let suffix = token.length;
  for (let at = token.length - SUFFIX; at < token.length; at += 1) suffix = (suffix * 61 + token.charCodeAt(at)) | 0;
  return suffix;
}
