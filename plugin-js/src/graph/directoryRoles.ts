import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EntraCore } from '../core';
import { directoryRoles, type GraphTenant } from './addresses';
import type { GraphClient } from './graphClient';

/** Roles come into use when somebody is first given one: rarely */
const REFRESH_MS = 60 * 60_000;
/** After a failure, as Graph may just be away */
const RETRY_MS = 5 * 60_000;

/** What is known of the directory roles of a tenant */
export interface RolesState {
  /** `undefined` until they could be read */
  count?: number;
  error?: string;
}

interface Tenant {
  graph: GraphTenant;
  client: GraphClient;
}

/**
 * Keeps the core told which ids are directory roles, beside those that the configuration lists: Entra lists those of a person
 * among the groups of a token. Without the permission to read them that goes on, and is shown.
 */
export class DirectoryRoles {
  readonly #tenants: readonly Tenant[];
  readonly #core: EntraCore;
  readonly #logger: LoggerService;
  readonly #found = new Map<string, readonly string[]>();
  readonly #errors = new Map<string, string>();
  #told?: string;
  /** Whether the core, too, knows what was read; not so while it is being restarted */
  #upToDate = true;
  #timer?: NodeJS.Timeout;
  #closed = false;

  constructor(tenants: readonly Tenant[], core: EntraCore, logger: LoggerService) {
    this.#tenants = tenants;
    this.#core = core;
    this.#logger = logger;
  }

  /** Reads them now, and again from time to time */
  start(): void {
    void this.refresh().then(() => this.#schedule());
  }

  /** Stops the refresh */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** How it went, by tenant id */
  state(tenantId: string): RolesState {
    return { count: this.#found.get(tenantId)?.length, error: this.#errors.get(tenantId) };
  }

  /** Reads the roles of every tenant; what could not be read stays as it was. Never rejected */
  async refresh(): Promise<void> {
    await Promise.all(this.#tenants.map(tenant => this.#read(tenant)));
    const json = JSON.stringify([...this.#found.values()].flat().sort());
    this.#upToDate = json === this.#told;
    if (this.#upToDate) return;
    const outcome = this.#core.setDirectoryRoles(JSON.parse(json) as string[]);
    this.#upToDate = outcome.ok;
    if (!outcome.ok) return;
    this.#told = json;
    if (outcome.value.length === 0) return;
    const rules = outcome.value.map(id => `\`${id}\``).join(', ');
    this.#logger.warn(`entra-access: a directory role is no group and allows nothing: it stands as one in ${rules}`);
  }

  async #read({ graph, client }: Tenant): Promise<void> {
    const { tenantId } = graph;
    try {
      const roles = await client.pages(directoryRoles(graph));
      this.#found.set(
        tenantId,
        roles.map(({ id }) => id.toLowerCase()),
      );
      this.#errors.delete(tenantId);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'failed';
      if (!this.#errors.has(tenantId)) {
        const what = `the directory roles of tenant ${tenantId} could not be read`;
        this.#logger.warn(`entra-access: ${what}: ${reason}; among the groups of a token they pass for groups`);
      }
      this.#errors.set(tenantId, reason);
    }
  }

  #schedule(): void {
    if (this.#closed || (this.#tenants.length === 0 && this.#upToDate)) return;
    const pause = this.#errors.size > 0 || !this.#upToDate ? RETRY_MS : REFRESH_MS;
    this.#timer = setTimeout(() => this.start(), pause * (0.9 + Math.random() * 0.1));
    this.#timer.unref();
  }
}
