import { z } from 'zod';
import { groupsNamed, MAX_NAMED, type GraphTenant } from './addresses';
import type { GraphClient } from './graphClient';

/** A list of objects of which the ids count */
export const idsSchema = z.object({ value: z.array(z.object({ id: z.string() })) });

/** Whom to ask about a tenant */
interface Tenant {
  graph: GraphTenant;
  client: Pick<GraphClient, 'read'>;
}

/**
 * Which of the groups exist in a tenant.
 * @throws GraphError
 */
export async function existingGroups(
  { graph, client }: Tenant,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (let at = 0; at < ids.length; at += MAX_NAMED) {
    const url = groupsNamed(graph, ids.slice(at, at + MAX_NAMED));
    const { value } = await client.read(idsSchema, { url, signal });
    for (const { id } of value) known.add(id.toLowerCase());
  }
  return known;
}
