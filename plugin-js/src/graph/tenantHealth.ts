import type { LoggerService } from '@backstage/backend-plugin-api';

/** What the status route shows of a tenant's Graph */
export interface GraphState {
  tenant: string;
  /** `idle` until somebody's groups are asked for */
  state: 'idle' | 'ok' | 'failing';
  /** Milliseconds since the epoch */
  lastSuccess?: number;
  error?: string;
}

/** How asking one tenant's Graph goes; one line in the log for each change, however many ask in between */
export class TenantHealth {
  readonly #tenant: string;
  readonly #logger: Pick<LoggerService, 'info' | 'warn'>;
  /** By what was asked for: permissions are granted for each apart */
  readonly #problems = new Map<string, string>();
  #lastSuccess?: number;

  constructor(tenant: string, logger: Pick<LoggerService, 'info' | 'warn'>) {
    this.#tenant = tenant;
    this.#logger = logger;
  }

  get state(): GraphState {
    const [error] = this.#problems.values();
    const state = error === undefined ? (this.#lastSuccess === undefined ? 'idle' : 'ok') : 'failing';
    return { tenant: this.#tenant, state, lastSuccess: this.#lastSuccess, error };
  }

  /** What was asked for came */
  succeeded(what: string, now: number): void {
    this.#lastSuccess = now;
    if (!this.#problems.delete(what)) return;
    this.#logger.info(`entra-access: Microsoft Graph of tenant ${this.#tenant} answers again (${what})`);
  }

  /** It did not, for a reason that is not about one principal */
  failed(what: string, reason: string, consequence: string): void {
    const known = this.#problems.has(what);
    this.#problems.set(what, reason);
    if (known) return;
    this.#logger.warn(`entra-access: tenant ${this.#tenant}, ${what}: ${reason}; ${consequence}`);
  }
}
