import { workloads } from '../../dev/tenant/applications';
import { graphBase } from '../../dev/tenant/graphTokens';
import type { Tenant } from '../../dev/tenant/tenant';
import type { GraphTenant } from '../../src/graph/addresses';
import type { GraphSettings } from '../../src/graph/settings';

/** The simulated tenant's Graph */
export function graphOf(tenant: Tenant): GraphTenant {
  return { tenantId: tenant.tenantId, authority: tenant.authority, graph: graphBase(tenant) };
}

/** The application that may read memberships */
export const READER: GraphSettings = {
  kind: 'secret',
  clientId: workloads.groupReader.clientId,
  secret: workloads.groupReader.secret,
};

/** Requests for memberships so far */
export function graphRequests(tenant: Tenant): number {
  const names = Object.keys(tenant.requests).filter(name => /^graph\..*Member/.test(name));
  return names.reduce((sum, name) => sum + (tenant.requests[name] ?? 0), 0);
}
