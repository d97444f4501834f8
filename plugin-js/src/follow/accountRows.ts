import { answered, LONG_MS } from '../service/answered';
import { chunks, type Database, type Load } from './feeds';
import type { AccountChange } from './deltaPages';
import { byId, removeOld, writtenSince, type Rows } from './rows';

const ACCOUNTS = 'entra_access_accounts';
const ROWS: Rows = { table: ACCOUNTS, id: 'user_id' };
/** Rows in one statement: SQLite takes 32,766 values */
const AT_ONCE = 1_000;
/** Columns that a later write replaces */
const REPLACED = ['enabled', 'valid_from', 'removed', 'revision'];

/** An account as Graph described it last */
export interface AccountRow {
  id: string;
  /** `null` where Graph did not say */
  enabled: boolean | null;
  /** Sign-ins before it do not count; as Graph writes it */
  validFrom: string | null;
  removed: 'changed' | 'deleted' | null;
  revision: number;
}

interface Row {
  tenant: string;
  load: number;
  user_id: string;
  // A number in SQLite, as `revision` is text in PostgreSQL.
  enabled: boolean | number | null;
  valid_from: string | null;
  removed: AccountRow['removed'];
  revision: number | string;
}

/**
 * Merges what pages say, in their order, into the rows of a load; what is there already is not written again.
 * @returns how many rows have changed
 */
export async function mergeAccounts(
  transaction: Database,
  load: Load,
  changes: readonly AccountChange[],
  revision: number,
): Promise<number> {
  const byAccount = byId(changes);
  let count = 0;
  for (const ids of chunks([...byAccount.keys()], AT_ONCE)) {
    const found = await transaction<Row>(ACCOUNTS).where(columnsOf(load)).whereIn('user_id', ids);
    const present = new Map(found.map(row => [row.user_id, rowOf(row)]));
    const rows = ids.flatMap(id => merged(id, present.get(id), byAccount.get(id) ?? []) ?? []);
    if (rows.length === 0) continue;
    const written = rows.map(({ id, enabled, validFrom, removed }) => ({
      ...columnsOf(load),
      user_id: id,
      enabled,
      valid_from: validFrom,
      removed,
      revision,
    }));
    await transaction(ACCOUNTS).insert(written).onConflict(['tenant', 'load', 'user_id']).merge(REPLACED);
    count += rows.length;
  }
  return count;
}

/** The row after the changes; `undefined` where it is the same */
function merged(id: string, before: AccountRow | undefined, changes: readonly AccountChange[]) {
  const after = { id, enabled: null, validFrom: null, removed: null, ...before };
  for (const { enabled, validFrom, removed } of changes) {
    // What is null was never said.
    after.enabled = enabled ?? after.enabled;
    // It only ever moves on; what is told again may be older.
    if (validFrom && !(Date.parse(after.validFrom ?? '') > Date.parse(validFrom))) after.validFrom = validFrom;
    // Whoever is named without it is there, or there again.
    after.removed = removed ?? null;
  }
  const same =
    before &&
    before.enabled === after.enabled &&
    before.validFrom === after.validFrom &&
    before.removed === after.removed;
  return same ? undefined : after;
}

/** Rows of a load written after a revision, in the order of writes, after the row `last` */
export async function readAccounts(
  database: Database,
  load: Load,
  since: number,
  last?: AccountRow,
  limit = AT_ONCE * 5,
): Promise<AccountRow[]> {
  const rows = await writtenSince<Row>(database, ROWS, columnsOf(load), { since, last, limit });
  return rows.map(rowOf);
}

/**
 * Accounts that are there in a load, and how many of them are in another one, too. By groups and not by a join: of tables that have just
 * been filled PostgreSQL knows so little that it goes through all of one load for each account of the other
 */
export async function commonAccounts(database: Database, before: Load, after: Load) {
  const both = inEither(database, before, after).where({ removed: null }).havingRaw('count(*) = 2').as('both');
  const total = await answered(countOf(database(ACCOUNTS).where(there(before))), LONG_MS);
  return { total, common: await answered(countOf(database.from(both)), LONG_MS) };
}

/** Whether anybody is there in a load */
export async function hasAccounts(database: Database, load: Load): Promise<boolean> {
  return (await database(ACCOUNTS).where(there(load)).first('user_id')) !== undefined;
}

/**
 * Writes down as deleted who is in an earlier load and no longer in this one: whoever is not listed any more must not be
 * taken for somebody who was never heard of
 */
export async function keepVanished(transaction: Database, before: Load, after: Load, revision: number): Promise<void> {
  const vanished = await inEither(transaction, before, after).havingRaw('max(load) = ?', [before.load]);
  const ids = vanished.map(({ user_id: id }: Pick<Row, 'user_id'>) => id);
  for (const some of chunks(ids, AT_ONCE)) {
    const rows = await transaction<Row>(ACCOUNTS).where(columnsOf(before)).whereIn('user_id', some);
    const kept = rows.map(row => ({ ...row, load: after.load, removed: 'deleted', revision }));
    await transaction(ACCOUNTS).insert(kept);
  }
}

/** Removes up to `limit` rows of loads up to a number but for those that are needed, and gives their number */
export async function removeAccounts(
  database: Database,
  { tenant, load: last }: Load,
  needed: number[],
  limit: number,
): Promise<number> {
  return removeOld(database, ROWS, { tenant }, { last, needed, limit });
}

const columnsOf = ({ tenant, load }: Load) => ({ tenant, load });

const there = (load: Load) => ({ ...columnsOf(load), removed: null });

/** Ids of accounts of two loads of a tenant, to be chosen from by how often and where each stands */
function inEither(database: Database, { tenant, load }: Load, other: Load) {
  return database(ACCOUNTS).where({ tenant }).whereIn('load', [load, other.load]).groupBy('user_id').select('user_id');
}

async function countOf(query: { count(columns: object): PromiseLike<unknown> }): Promise<number> {
  const [row] = (await query.count({ count: '*' })) as Array<{ count: number | string }>;
  return Number(row?.count ?? 0);
}

function rowOf(row: Row): AccountRow {
  return {
    id: row.user_id,
    enabled: row.enabled === null ? null : Boolean(row.enabled),
    validFrom: row.valid_from,
    removed: row.removed,
    revision: Number(row.revision),
  };
}
