/** What the rows of accounts and those of groups have in common: each belongs to a load, and is known by an id in it. */
import { answered } from '../service/answered';
import type { Database, FeedKey, Load } from './feeds';

/** A kind of rows */
export interface Rows {
  readonly table: string;
  /** The column of the id */
  readonly id: 'group_id' | 'user_id';
}

/** Changes by what they are about, each in its order */
export function byId<T extends { id: string }>(changes: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const change of changes) {
    const known = found.get(change.id);
    if (known) known.push(change);
    else found.set(change.id, [change]);
  }
  return found;
}

/** Up to `limit` rows of a load written after a revision, in the order of writes, after the row `last` */
export async function writtenSince<Row>(
  database: Database,
  { table, id }: Rows,
  place: Partial<Load>,
  { since, last, limit }: { since: number; last: { revision: number; id: string } | undefined; limit: number },
): Promise<Row[]> {
  const query = database(table).where(place);
  if (last) void query.whereRaw(`(revision, ${id}) > (?, ?)`, [last.revision, last.id]);
  else void query.where('revision', '>', since);
  return query.orderBy(['revision', id]).limit(limit);
}

/** Page after page until one is empty; `next` reads what comes after the last row of the one before, and has its time for each */
export async function* pagesOf<Row>(next: (last?: Row) => PromiseLike<Row[]>): AsyncGenerator<Row[]> {
  for (let last: Row | undefined; ;) {
    const rows = await answered(next(last));
    last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
  }
}

/** Removes up to `limit` rows of loads up to the number `last` but for those that are needed, and gives their number */
export async function removeOld(
  database: Database,
  { table, id }: Rows,
  place: Partial<FeedKey>,
  { last, needed, limit }: { last: number; needed: readonly number[]; limit: number },
): Promise<number> {
  const old: Array<{ load: number; id: string }> = await database(table)
    .where(place)
    .where('load', '<=', last)
    .whereNotIn('load', needed)
    .limit(limit)
    .select('load', { id });
  for (const load of new Set(old.map(row => row.load))) {
    const ids = old.filter(row => row.load === load).map(row => row.id);
    await database(table)
      .where({ ...place, load })
      .whereIn(id, ids)
      .delete();
  }
  return old.length;
}
