import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigurationError, type Issuer } from '../core';
import type { GraphTenant } from './addresses';
import { createCredential, isPlain } from './credential';
import type { GraphClient } from './graphClient';
import { GRAPH_LIMITS, type GraphLimits } from './limits';
import type { Resolution } from './resolutionCache';
import type { GraphSettings } from './settings';
import { TenantGroups, type Subject } from './tenantGroups';
import type { GraphState } from './tenantHealth';

interface Options {
  /** Their clouds say where Graph is */
  issuers: readonly Issuer[];
  settings: GraphSettings;
  logger: LoggerService;
  limits?: Partial<GraphLimits>;
}

/** Finds the groups of principals whose tokens leave them out, in the Graph of their own tenant */
export class GroupResolver {
  readonly #tenants: ReadonlyMap<string, TenantGroups>;
  /** Who asks each tenant */
  readonly clients: ReadonlyArray<{ graph: GraphTenant; client: GraphClient }>;

  /** @throws ConfigurationError for a credential that a cloud cannot take */
  constructor({ issuers, settings, logger, limits }: Options) {
    const tenants = new Map<string, TenantGroups>();
    for (const issuer of issuers) {
      if (!issuer.graph || tenants.has(issuer.tenantId)) continue;
      if (isPlain(issuer) && settings.kind === 'certificate') {
        throw new ConfigurationError({
          path: 'entraAccess.groups.graph.certificate',
          message: `the cloud of tenant ${issuer.tenantId} is reached over plain http, where only a secret is offered`,
          hint: 'use `clientSecret` with a simulator',
        });
      }
      const credential = createCredential(settings, issuer);
      tenants.set(issuer.tenantId, new TenantGroups(issuer, credential, logger, { ...GRAPH_LIMITS, ...limits }));
    }
    this.#tenants = tenants;
    this.clients = [...tenants.values()].map(({ graph, client }) => ({ graph, client }));
  }

  /** How asking each tenant goes */
  get states(): GraphState[] {
    return [...this.#tenants.values()].map(({ health }) => health.state);
  }

  /** The complete groups of a principal, or why they are not known; never rejected */
  resolve(subject: Subject): Promise<Resolution> {
    const tenant = this.#tenants.get(subject.tenantId);
    if (tenant) return tenant.resolve(subject);
    return Promise.resolve({ ok: false, reason: 'its tenant has no Microsoft Graph configured' });
  }

  /** Why the groups of a principal are not known, as far as Graph was asked */
  reasonFor(subject: Subject): string | undefined {
    return this.#tenants.get(subject.tenantId)?.reasonFor(subject);
  }
}
