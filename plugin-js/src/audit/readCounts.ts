import type { AuditRecord } from './records';

/** Most permissions that are counted by name at once: anybody may ask about a made-up one */
const NAMES = 200;
const OTHERS = '(others)';

/** How often which permission to read was granted since it was last asked for */
export class ReadCounts {
  readonly #clock: () => number;
  #counts = new Map<string, number>();
  #since: number;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#since = clock();
  }

  /** One more */
  add(permission: string): void {
    const known = this.#counts.get(permission);
    const name = known !== undefined || this.#counts.size < NAMES ? permission : OTHERS;
    this.#counts.set(name, (known ?? this.#counts.get(name) ?? 0) + 1);
  }

  /** What was counted, and counting begins anew */
  take(): Array<Omit<AuditRecord, 'at'>> {
    const [counts, since] = [this.#counts, this.#since];
    this.#counts = new Map();
    this.#since = this.#clock();
    return [...counts].map(([permission, count]) => ({ event: 'reads', permission, count, since }));
  }
}
