import { answered } from '../service/answered';
import { chunks, type Database, type FeedKey, type Load } from './feeds';
import type { GroupChange } from './deltaPages';
import { countCommon, ENTRY, isList, listOf, membersOf } from './memberList';
import { byId, pagesOf, removeOld, writtenSince, type Rows } from './rows';

const MEMBERS = 'entra_access_members';
const ROWS: Rows = { table: MEMBERS, id: 'group_id' };
/** Rows read or written in one statement: most lists are short, one may have megabytes */
const AT_ONCE = 200;

/** The direct members of a group */
export interface GroupRow {
  id: string;
  members: Buffer;
  removed: boolean;
  revision: number;
}

interface Row {
  tenant: string;
  feed: string;
  load: number;
  group_id: string;
  members: Buffer;
  // A number in SQLite, as `revision` is text in PostgreSQL.
  removed: boolean | number;
  revision: number | string;
}

/**
 * Merges what pages say, in their order, into the rows of a load; what is there already is not written again.
 * @returns how many rows have changed
 */
export async function mergeMembers(
  transaction: Database,
  load: Load,
  changes: readonly GroupChange[],
  revision: number,
): Promise<number> {
  const byGroup = byId(changes);
  let count = 0;
  for (const ids of chunks([...byGroup.keys()], AT_ONCE)) {
    const found = await transaction<Row>(MEMBERS).where(columnsOf(load)).whereIn('group_id', ids);
    const present = new Map(found.map(row => [row.group_id, rowOf(row)]));
    const rows = ids.flatMap(id => merged(id, present.get(id), byGroup.get(id) ?? []) ?? []);
    for (const some of chunks(rows, AT_ONCE)) {
      const written = some.map(({ id, members, removed }) => ({
        ...columnsOf(load),
        group_id: id,
        members,
        removed,
        revision,
      }));
      await transaction(MEMBERS)
        .insert(written)
        .onConflict(['tenant', 'feed', 'load', 'group_id'])
        .merge(['members', 'removed', 'revision']);
    }
    count += rows.length;
  }
  return count;
}

/** The row after the changes; `undefined` where it is the same */
function merged(id: string, before: GroupRow | undefined, changes: readonly GroupChange[]) {
  const members = membersOf(before?.members ?? Buffer.alloc(0));
  let removed = before?.removed ?? false;
  for (const change of changes) {
    // Who was in it when it was deleted is in it when it is restored: Graph does not say so again.
    removed = change.removed;
    for (const { key, gone } of change.members) {
      if (gone) members.delete(key);
      else members.add(key);
    }
  }
  const list = listOf(members);
  const same = before && before.removed === removed && before.members.equals(list);
  return same ? undefined : { id, members: list, removed };
}

/** Rows of a load written after a revision, in the order of writes, after the row `last` */
export async function readMembers(
  database: Database,
  load: Load,
  since: number,
  last?: GroupRow,
  limit = AT_ONCE,
): Promise<GroupRow[]> {
  const rows = await writtenSince<Row>(database, ROWS, columnsOf(load), { since, last, limit });
  return rows.map(rowOf);
}

/** The rows of certain groups */
export async function findMembers(database: Database, load: Load, ids: readonly string[]): Promise<GroupRow[]> {
  const found: GroupRow[] = [];
  for (const some of chunks(ids, AT_ONCE))
    found.push(...(await database<Row>(MEMBERS).where(columnsOf(load)).whereIn('group_id', some)).map(rowOf));
  return found;
}

/** Memberships of a load, and how many of them another one has, too. Each statement has its time, as there may be thousands */
export async function commonMembers(database: Database, before: Load, after: Load) {
  const counts = { total: 0, common: 0 };
  for await (const rows of pagesOf<GroupRow>(last => readMembers(database, before, 0, last))) {
    const query = database<Row>(MEMBERS).where(columnsOf(after));
    const ids = rows.map(({ id }) => id);
    const found = await answered(query.whereIn('group_id', ids));
    const others = new Map(found.map(row => [row.group_id, rowOf(row)]));
    for (const { id, members, removed } of rows) {
      if (removed) continue;
      const other = others.get(id);
      counts.total += members.length / ENTRY;
      if (other && !other.removed) counts.common += countCommon(members, other.members);
    }
  }
  return counts;
}

/** Whether a load has any row */
export async function hasMembers(database: Database, load: Load): Promise<boolean> {
  return (await database<Row>(MEMBERS).where(columnsOf(load)).first('group_id')) !== undefined;
}

/** Object ids of groups that are in groups of a load */
export function nestedIn({ members }: Pick<GroupRow, 'members'>): string[] {
  const ids: string[] = [];
  for (let at = 0; at < members.length; at += ENTRY) {
    if (members[at] !== 1) continue;
    const hex = members.toString('hex', at + 1, at + ENTRY);
    ids.push(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  }
  return ids;
}

/** Removes up to `limit` rows of loads up to a number but for those that are needed, and gives their number */
export async function removeMembers(
  database: Database,
  { tenant, feed, load: last }: Load,
  needed: number[],
  limit: number,
): Promise<number> {
  return removeOld(database, ROWS, { tenant, feed }, { last, needed, limit });
}

/** Removes all rows of a feed */
export async function removeFeed(database: Database, { tenant, feed }: FeedKey): Promise<void> {
  await database<Row>(MEMBERS).where({ tenant, feed }).delete();
}

const columnsOf = ({ tenant, feed, load }: Load) => ({ tenant, feed, load });

function rowOf(row: Row): GroupRow {
  if (!isList(row.members)) throw new Error('a row of entra_access_members is none that this version writes');
  return { id: row.group_id, members: row.members, removed: Boolean(row.removed), revision: Number(row.revision) };
}
