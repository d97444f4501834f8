/** A made-up tenant with groups in groups, as the pages of Microsoft Graph, and resolved by the plainest means. */
import { guid, seeded, type Random } from '../random';

const LEVELS = 8;
const PAGE = 200;
const SEED = 8;
export const TENANT_ID = '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03';

export interface TenantData {
  groups: string[];
  users: string[];
  /** For each user the groups it is directly in, by number */
  memberOf: number[][];
  /** For each group the groups it is directly in */
  inside: number[][];
}

/** 20,000 groups in eight levels with one or two parents and some cycles; users in 8 or 9 groups, one in a hundred in 200 */
export function makeTenant(groupCount: number, userCount: number): TenantData {
  const random = seeded(SEED);
  const below = (end: number) => Math.floor(random() * end);
  const level = Math.floor(groupCount / LEVELS);
  const inside = Array.from({ length: groupCount }, (_, at) => {
    const above = Math.floor(at / level) - 1;
    return above < 0 ? [] : distinct(1 + below(2), () => above * level + below(level));
  });
  // From the top back into the bottom that it is reached from.
  for (let cycle = 0; cycle < groupCount / 1000; cycle++) {
    const bottom = groupCount - 1 - below(level);
    let top = bottom;
    while (top >= level) top = inside[top]![0]!;
    inside[top]!.push(bottom);
  }
  const memberOf = Array.from({ length: userCount }, (_, at) =>
    distinct(at % 100 === 0 ? Math.min(200, groupCount / 2) : 7 + below(2), () => below(groupCount)),
  );
  return { groups: guids(groupCount, random), users: guids(userCount, random), memberOf, inside };
}

function distinct(count: number, draw: () => number): number[] {
  const found = new Set<number>();
  while (found.size < count) found.add(draw());
  return [...found];
}

const guids = (count: number, random: Random) => Array.from({ length: count }, () => guid(random));

/** Pages of `/groups/delta?$select=members`, as they come over the wire */
export function pagesOf({ groups, users, memberOf, inside }: TenantData): Buffer[] {
  const members: object[][] = groups.map(() => []);
  const put = (kind: string, ids: string[], of: number[][]) =>
    of.forEach((owners, at) => {
      for (const owner of owners) members[owner]?.push({ '@odata.type': `#microsoft.graph.${kind}`, id: ids[at] });
    });
  put('user', users, memberOf);
  put('group', groups, inside);
  const entries = groups.map((id, at) => ({ id, 'members@delta': members[at] }));
  const context = 'https://graph.microsoft.com/v1.0/$metadata#groups';
  return Array.from({ length: Math.ceil(entries.length / PAGE) }, (_, page) =>
    Buffer.from(JSON.stringify({ '@odata.context': context, value: entries.slice(page * PAGE, (page + 1) * PAGE) })),
  );
}

/** What every contender must come to */
export function groupsOf({ groups, memberOf, inside }: TenantData, user: number): string[] {
  const found = new Set(memberOf[user]);
  for (const group of found) inside[group]?.forEach(above => found.add(above));
  return [...found].map(group => groups[group] as string).sort();
}
