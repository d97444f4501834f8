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

/** The lists of several feeds. What two of them know is the same, and the later one's word */
export function joinedLists(byFeed: ReadonlyMap<string, GroupLists>): GroupLists {
  const feeds = [...byFeed].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)).map(([, lists]) => lists);
  const [first, ...more] = feeds;
  if (more.length === 0) return first ?? new Map();
  return new Map(feeds.flatMap(lists => [...lists]));
}

/** What becomes of each group that is not the same */
export function* differences(before: GroupLists, after: GroupLists): Generator<GroupDifference> {
  for (const [id, list] of after) {
    const old = before.get(id);
    if (old !== list) yield { id, before: old ?? NOBODY, after: list };
  }
  for (const [id, list] of before) if (!after.has(id)) yield { id, before: list, after: NOBODY };
}
