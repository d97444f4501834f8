/** The direct members of groups as the core of this process has them: from one feed, or from several that each know some groups */
import type { GroupDifference } from './memberPages';
import type { GroupRow } from './memberRows';

/** By group */
export type GroupLists = ReadonlyMap<string, Buffer>;

const NOBODY = Buffer.alloc(0);

/** Rows of a feed */
export interface GroupsRead {
  /** Whether it is all of the feed, or what has changed */
  all: boolean;
  rows: ReadonlyMap<string, GroupRow>;
}

/** The lists of a feed after rows were read */
export function listsAfter({ all, rows }: GroupsRead, before: GroupLists = new Map()): GroupLists {
  const lists = new Map(all ? [] : before);
  for (const { id, members, removed } of rows.values()) {
    // Whoever is in a deleted group is in none by it.
    if (removed) lists.delete(id);
    else lists.set(id, members);
  }
  return lists;
}

/** What feeds were asked for: object ids of groups, `null` for all of them */
export type Asked = readonly string[] | null;

/** Groups that more than one feed is asked for. Which of them has the newer word is not known, so nothing is known of these groups */
export function doubled(scopes: Iterable<Asked>): ReadonlySet<string> {
  const [seen, twice] = [new Set<string>(), new Set<string>()];
  for (const scope of scopes)
    for (const id of new Set(scope ?? [])) {
      if (seen.has(id)) twice.add(id);
      seen.add(id);
    }
  return twice;
}

/** Groups whose direct members are known to be all there; `null` for every group */
export function coveredBy(scopes: readonly Asked[]): string[] | null {
  if (scopes.includes(null)) return null;
  const twice = doubled(scopes);
  return scopes.flatMap(scope => scope ?? []).filter(id => !twice.has(id));
}

/** The lists of several feeds, but for what two of them are asked for */
export function togetherOf(feeds: Iterable<GroupLists>, without: ReadonlySet<string>): GroupLists {
  const [first, ...more] = feeds;
  if (more.length === 0) return first ?? new Map();
  const lists = new Map([first as GroupLists, ...more].flatMap(each => [...each]));
  for (const id of without) lists.delete(id);
  return lists;
}

/** What becomes of each group that is not the same */
export function* differences(before: GroupLists, after: GroupLists): Generator<GroupDifference> {
  for (const [id, list] of after) {
    const old = before.get(id);
    if (old !== list) yield { id, before: old ?? NOBODY, after: list };
  }
  for (const [id, list] of before) if (!after.has(id)) yield { id, before: list, after: NOBODY, absent: true };
}
