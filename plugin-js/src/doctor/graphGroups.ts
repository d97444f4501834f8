import { z } from 'zod';
import { appRoleAssignments, servicePrincipalOf } from '../graph/addresses';
import { existingGroups, idsSchema } from '../graph/existingGroups';
import { isGuid } from '../core';
import type { GraphAccess, Section } from './subject';

const assignedSchema = z.object({
  value: z.array(z.object({ principalId: z.string(), principalType: z.string() })),
  '@odata.nextLink': z.string().optional(),
});

/** Groups that are assigned to the applications whose tokens are accepted; `complete`: there are no others */
export interface Assigned {
  ids: ReadonlySet<string>;
  complete: boolean;
}

/**
 * Which of the groups exist in any of the tenants. If one cannot be asked, nobody knows.
 * @throws GraphError
 */
export async function existingAnywhere(graph: GraphAccess, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const known = await Promise.all(graph.tenants.map(tenant => existingGroups(tenant, ids)));
  return new Set(known.flatMap(each => [...each]));
}

/** @throws GraphError */
export async function assignedGroups(graph: GraphAccess, { tenants }: Section): Promise<Assigned> {
  const ids = new Set<string>();
  let complete = true;
  for (const { graph: tenant, client } of graph.tenants) {
    const own = tenants.filter(({ tenantId }) => tenantId.toLowerCase() === tenant.tenantId.toLowerCase());
    for (const clientId of own.flatMap(({ audiences }) => audiences).filter(isGuid)) {
      const principals = await client.read(idsSchema, { url: servicePrincipalOf(tenant, clientId) });
      for (const { id } of principals.value) {
        const page = await client.read(assignedSchema, { url: appRoleAssignments(tenant, id, true) });
        complete &&= page['@odata.nextLink'] === undefined;
        const groups = page.value.filter(({ principalType }) => principalType === 'Group');
        groups.forEach(({ principalId }) => ids.add(principalId.toLowerCase()));
      }
    }
  }
  return { ids, complete };
}
