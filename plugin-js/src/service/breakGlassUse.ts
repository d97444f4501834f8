import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Principal } from '../core';
import type { BreakGlassEntry } from './breakGlass';

/** How often the log tells of one entry; the audit trail has every single use */
const LOG_MS = 60_000;

/** How an entry was made use of; shown in `status` */
export interface BreakGlassState {
  name: string;
  /** How often it allowed something since the start */
  uses: number;
  /** Milliseconds since the epoch */
  lastUse?: number;
}

/** Who is let in by name while the directory has no word, and how often they were */
export class BreakGlassUse {
  readonly #entries: ReadonlyArray<BreakGlassEntry & { state: BreakGlassState; toldAt: number }>;
  readonly #logger: Pick<LoggerService, 'warn'>;
  readonly #clock: () => number;

  constructor(entries: readonly BreakGlassEntry[], logger: Pick<LoggerService, 'warn'>, clock = Date.now) {
    this.#entries = entries.map(entry => ({ ...entry, state: { name: entry.name, uses: 0 }, toldAt: -Infinity }));
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Every entry */
  get states(): BreakGlassState[] {
    return this.#entries.map(({ state }) => ({ ...state }));
  }

  /** Counts one use, and says for the audit trail which entry it was */
  used(principal: Pick<Principal, 'tenantId' | 'objectId'> | undefined, permission: string): string {
    const entry = this.#entries.find(
      ({ tenantId, objectId }) => principal?.tenantId === tenantId && principal.objectId === objectId,
    );
    if (!entry) return 'break_glass: an entry under `entraAccess.breakGlass`';
    const now = this.#clock();
    entry.state.uses += 1;
    entry.state.lastUse = now;
    const reason = entry.reason === undefined ? '' : `: ${entry.reason}`;
    if (now - entry.toldAt >= LOG_MS) {
      entry.toldAt = now;
      this.#logger.warn(
        `break-glass entry ${entry.name} allows ${permission} while the groups are not known (used ${entry.state.uses} ` +
          'times since the start; each use is in the audit trail)',
      );
    }
    return `break_glass: entry \`${entry.name}\`${reason}`;
  }
}
