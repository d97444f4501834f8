import { z } from 'zod';
import { appRoleAssignments, groupsNamed, MAX_NAMED, servicePrincipalOf } from '../graph/addresses';
import { isGuid } from '../core';
import type { GraphAccess, Section } from './subject';

const idsSchema = z.object({ value: z.array(z.object({ id: z.string() })) });
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
export async function existingGroups(graph: GraphAccess, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const { graph: tenant, client } of graph.tenants) {
    for (let at = 0; at < ids.length; at += MAX_NAMED) {
      const { value } = await client.read(idsSchema, { url: groupsNamed(tenant, ids.slice(at, at + MAX_NAMED)) });
      value.forEach(({ id }) => known.add(id.toLowerCase()));
    }
  }
  return known;
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
