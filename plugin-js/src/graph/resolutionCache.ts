import { MAX_KEPT, MAX_KEPT_IDS } from './limits';

/** What is known of a principal's groups: the complete list, or why there is none */
export type Resolution = { ok: true; ids: readonly string[] } | { ok: false; reason: string };

interface Entry {
  resolution: Resolution;
  /** Milliseconds since the epoch */
  until: number;
}

/** Answers about principals for a while; bounded by principals and by ids, the oldest go first */
export class ResolutionCache {
  readonly #entries = new Map<string, Entry>();
  #ids = 0;

  /** Number of principals kept */
  get size(): number {
    return this.#entries.size;
  }

  find(key: string, now: number): Resolution | undefined {
    const entry = this.#entries.get(key);
    if (entry && now < entry.until) return entry.resolution;
    if (entry) this.#drop(key, entry);
    return undefined;
  }

  keep(key: string, resolution: Resolution, until: number): void {
    const old = this.#entries.get(key);
    if (old) this.#drop(key, old);
    this.#entries.set(key, { resolution, until });
    this.#ids += count(resolution);
    // A Map keeps the order of insertion.
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= MAX_KEPT && this.#ids <= MAX_KEPT_IDS) break;
      this.#drop(oldest, entry);
    }
  }

  #drop(key: string, { resolution }: Entry): void {
    this.#entries.delete(key);
    this.#ids -= count(resolution);
  }
}

function count(resolution: Resolution): number {
  return resolution.ok ? resolution.ids.length : 0;
}
