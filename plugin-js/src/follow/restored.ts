import { groupsDelta, type GraphTenant } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { MAX_FILTERED } from '../graph/limits';
import { answered } from '../service/answered';
import { readGroups, type GroupChange } from './deltaPages';
import { chunks, type Database, type FeedState } from './feeds';
import { findMembers } from './memberRows';
import { endless, type Pages } from './pages';

/** More pages than 50 groups have members */
const MAX_PAGES = 10_000;

interface Asked {
  graph: GraphTenant;
  database: Database;
  pages: Pages;
}

/**
 * What Graph may leave out of a round: of a group that was restored it does not list the members once more. Where its row is gone with an
 * earlier load, a group with too few members would be worse than one that is not known: deny rules that name it would no longer hold.
 * @returns what Graph says of all groups of the round that are not known, or were deleted
 * @throws GraphError, UnansweredError
 */
export async function membersOfNew(
  changes: readonly GroupChange[],
  state: FeedState,
  { graph, database, pages }: Asked,
): Promise<GroupChange[]> {
  const last = new Map(changes.map(change => [change.id, change]));
  const named = [...last.values()].flatMap(({ id, removed }) => (removed ? [] : id));
  const rows = await answered(findMembers(database, state, named));
  // Of one that is written down as deleted the members may be: Graph lists it so where it never told of them.
  const known = new Set(rows.flatMap(({ id, removed }) => (removed ? [] : id)));
  const found: GroupChange[] = [];
  for (const ids of chunks(
    named.filter(id => !known.has(id)),
    MAX_FILTERED,
  )) {
    let address: URL | string = groupsDelta(graph, ids);
    for (let count = 1; ; count += 1) {
      const page = await pages.next(address);
      found.push(...readGroups(page.json));
      if (page.last) break;
      if (count > MAX_PAGES) throw endless(`what it says of ${ids.length} groups has more than ${MAX_PAGES} pages`);
      address = page.link;
    }
    const told = new Set(found.flatMap(({ id, removed }) => (removed ? [] : id)));
    // Graph's answers lag behind each other: the round is asked for again, by the same link. If it was deleted again, that tells of it.
    if (ids.some(id => !told.has(id)))
      throw new GraphError('Microsoft Graph does not tell yet who is in a group that is new', { scope: 'tenant' });
  }
  return found;
}
