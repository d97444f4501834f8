import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EntraCore, Issuer, KeySetReport } from '../core';
import { readDiscovery } from './discovery';
import { fetchDocument } from './fetchDocument';

/** Microsoft, signing key rollover: an unknown key id refetches no more often than every 5 minutes */
const UNKNOWN_KEY_GAP_MS = 5 * 60_000;
/** The same source: refresh every hour; sooner only if the issuer says so, never more often than every 5 minutes */
const REFRESH_MS = { min: 5 * 60_000, max: 60 * 60_000 };
/** Without any keys there is nothing to lose by asking again soon; twice as long after each failure, up to a minute */
const FIRST_KEYS_GAP_MS = { min: 1_000, max: 60_000 };

/** A document may hold a thousand bad keys; the log names so many */
const NAMED_KEYS = 5;
/** Longest text from elsewhere in a line of the log */
const REASON_LENGTH = 600;

/** What is known of an issuer's keys; times in milliseconds since the epoch */
export interface KeyState {
  issuer: string;
  /** When the keys in use were fetched */
  fetchedAt?: number;
  /** When they stop to count, unless they are fetched anew before */
  trustedUntil?: number;
  keys: number;
  /** Why the last attempt failed; the old keys stay in use until `trustedUntil` */
  error?: string;
}

/** Does something within a span of a trace */
type Span = <T>(name: string, work: () => Promise<T>) => Promise<T>;

interface Entry {
  state: KeyState;
  attemptedAt: number;
  refetchedAt: number;
  /** Failed attempts since the last good one */
  failures: number;
  /** What the last of them was said to mean */
  consequence?: string;
  flight?: Promise<boolean>;
  timer?: NodeJS.Timeout;
}

/** Fetches the issuers' keys and hands them to the core, which decides what they are good for */
export class KeySource {
  readonly #core: EntraCore;
  readonly #logger: LoggerService;
  readonly #clock: () => number;
  readonly #span: Span;
  readonly #entries: Map<string, Entry>;
  #closed = false;

  constructor(options: { core: EntraCore; logger: LoggerService; clock?: () => number; span?: Span }) {
    this.#core = options.core;
    this.#logger = options.logger;
    this.#clock = options.clock ?? Date.now;
    this.#span = options.span ?? ((_, work) => work());
    this.#entries = new Map(
      options.core.issuers.map(({ id, issuer }) => [
        id,
        { state: { issuer, keys: 0 }, attemptedAt: -Infinity, refetchedAt: -Infinity, failures: 0 },
      ]),
    );
  }

  /** The state of every issuer that was asked for */
  get states(): KeyState[] {
    return [...this.#entries.values()].map(entry => entry.state).filter(state => state.fetchedAt || state.error);
  }

  /**
   * Asks the issuer for its keys because a token could not be judged without them.
   *
   * Single flight, and rare: a flood of made-up key ids costs one request in five minutes.
   * @returns whether new keys are in place
   */
  async refetch(issuer: Issuer, reason: 'keys_unavailable' | 'key_unknown'): Promise<boolean> {
    const entry = this.#entries.get(issuer.id);
    if (!entry) return false;
    if (entry.flight) return entry.flight;
    const now = this.#clock();
    if (reason === 'key_unknown') {
      if (now - entry.refetchedAt < UNKNOWN_KEY_GAP_MS) return false;
      entry.refetchedAt = now;
    } else if (now - entry.attemptedAt < firstKeysGap(entry.failures)) {
      return false;
    }
    return this.#fetch(issuer, entry);
  }

  /** Fetches the keys of an issuer now, and again from time to time */
  async load(issuer: Issuer): Promise<boolean> {
    const entry = this.#entries.get(issuer.id);
    return entry ? (entry.flight ?? this.#fetch(issuer, entry)) : false;
  }

  /** Stops the background refresh */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
  }

  #fetch(issuer: Issuer, entry: Entry): Promise<boolean> {
    entry.attemptedAt = this.#clock();
    entry.flight = this.#fetchOnce(issuer, entry).finally(() => {
      entry.flight = undefined;
    });
    return entry.flight;
  }

  async #fetchOnce(issuer: Issuer, entry: Entry): Promise<boolean> {
    let maxAgeMs = REFRESH_MS.max;
    try {
      const keys = await this.#span('entra_access.keys.fetch', async () => {
        const discovery = await fetchDocument(issuer.discoveryUrl);
        return fetchDocument(readDiscovery(discovery.text, issuer));
      });
      const outcome = this.#core.setKeys(issuer, keys.text, entry.attemptedAt);
      if (!outcome.ok) throw new Error(`the keys of ${issuer.id} are refused: ${outcome.error}`);
      this.#warnOfRefused(issuer, outcome.value);
      entry.state = {
        issuer: issuer.issuer,
        fetchedAt: entry.attemptedAt,
        trustedUntil: outcome.value.trustedUntil * 1000,
        keys: outcome.value.usable,
      };
      entry.failures = 0;
      maxAgeMs = (keys.maxAgeSeconds ?? Infinity) * 1000;
      return true;
    } catch (error) {
      const reason = printable(error instanceof Error ? error.message : 'failed');
      const consequence = this.#consequence(entry.state);
      // Whoever sends tokens in an outage must not fill the log with them.
      if (reason !== entry.state.error || consequence !== entry.consequence) {
        this.#logger.warn(`entra-access: the keys of ${issuer.id} could not be fetched: ${reason}; ${consequence}`);
      }
      entry.consequence = consequence;
      entry.state = { ...entry.state, error: reason };
      entry.failures += 1;
      maxAgeMs = REFRESH_MS.min;
      return false;
    } finally {
      this.#schedule(issuer, entry, maxAgeMs);
    }
  }

  #consequence({ trustedUntil }: KeyState): string {
    if (trustedUntil === undefined) return 'its tokens are refused until then';
    const limit = new Date(trustedUntil).toISOString();
    return this.#clock() < trustedUntil
      ? `the keys fetched before stay in use until ${limit}`
      : `the keys fetched before were good until ${limit}, and its tokens are refused now`;
  }

  #warnOfRefused(issuer: Issuer, { refused }: KeySetReport): void {
    if (refused.length === 0) return;
    const some = refused.slice(0, NAMED_KEYS).map(({ kid, reason }) => `${JSON.stringify(kid)} (${reason})`);
    const more = refused.length > NAMED_KEYS ? `, and so on, ${refused.length} in all` : '';
    this.#logger.warn(`entra-access: keys of ${issuer.id} that are not used: ${printable(some.join(', '))}${more}`);
  }

  #schedule(issuer: Issuer, entry: Entry, maxAgeMs: number): void {
    clearTimeout(entry.timer);
    if (this.#closed) return;
    // Without keys that count, an issuer that comes back should be noticed without waiting for a user.
    const max = this.#clock() < (entry.state.trustedUntil ?? 0) ? REFRESH_MS.max : 30_000;
    const min = Math.min(REFRESH_MS.min, max);
    // Jitter keeps replicas from asking all at once.
    const delay = Math.min(Math.max(maxAgeMs, min), max) * (0.9 + Math.random() * 0.1);
    entry.timer = setTimeout(() => void this.load(issuer), delay);
    entry.timer.unref();
  }
}

function firstKeysGap(failures: number): number {
  const { min, max } = FIRST_KEYS_GAP_MS;
  return Math.min(max, min * 2 ** Math.max(0, failures - 1));
}

/** Parts of the document may be in it: short, and of one line */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
  return line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH)}...` : line;
}
