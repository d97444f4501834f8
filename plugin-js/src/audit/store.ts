import type { DatabaseService } from '@backstage/backend-plugin-api';
import { join } from 'node:path';
import type { ChainPlace } from '../core';
import type { AuditRow } from './records';

type Database = Awaited<ReturnType<DatabaseService['getClient']>>;
type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

const AUDIT = 'entra_access_audit';
const CHECKPOINTS = 'entra_access_audit_checkpoints';
const MIGRATIONS = join(__dirname, '..', '..', 'migrations');
/** Rows of one statement: SQLite takes no more than 500 */
const AT_ONCE = 200;

/** A chain as far as it is there */
export interface ChainExtent {
  chain: string;
  first: number;
  last: number;
}

/** What to look for; times in milliseconds since the epoch, `to` is not included */
export interface AuditFilter {
  principal?: string;
  resource?: string;
  result?: string;
  rule?: string;
  event?: string;
  reference?: string;
  from?: number;
  to?: number;
}

/** Where a page ended */
export interface AuditCursor {
  at: number;
  chain: string;
  seq: number;
}

/** The audit trail of all replicas, in the plugin's database */
export class AuditStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Brings the tables up to date */
  static async open(service: DatabaseService): Promise<AuditStore> {
    const database = await service.getClient();
    if (!service.migrations?.skip) await database.migrate.latest({ directory: MIGRATIONS });
    return new AuditStore(database);
  }

  /**
   * Adds links, all or none. Those that are there already, because an earlier try came through after all, are left as they are.
   * @throws Error when something else stands in the place of one
   */
  async append(rows: readonly AuditRow[]): Promise<void> {
    const [first, last] = [rows[0], rows.at(-1)];
    if (!first || !last) return;
    await this.#transaction(async transaction => {
      for (let at = 0; at < rows.length; at += AT_ONCE) {
        await transaction(AUDIT)
          .insert(rows.slice(at, at + AT_ONCE))
          .onConflict(['chain', 'seq'])
          .ignore();
      }
      // Of each: a link passed over because another stands there would be answered, and lost.
      const { chain } = last;
      const between = transaction<AuditRow>(AUDIT).where({ chain }).whereBetween('seq', [first.seq, last.seq]);
      const kept = await between.select('hash').orderBy('seq');
      const other = rows.find(({ hash }, at) => kept[at]?.hash !== hash);
      if (other) throw new Error(`another record stands at ${chain} ${other.seq}`);
    });
  }

  /** All chains of which records are there, the youngest first */
  async chains(limit?: number): Promise<ChainExtent[]> {
    const query = this.#database<AuditRow>(AUDIT)
      .select('chain')
      .min({ first: 'seq' })
      .max({ last: 'seq' })
      .max({ at: 'at' })
      .groupBy('chain')
      .orderBy([{ column: 'at', order: 'desc' }, { column: 'chain' }]);
    const rows = (await (limit === undefined ? query : query.limit(limit))) as Array<Record<string, string | number>>;
    return rows.map(({ chain, first, last }) => ({ chain: String(chain), first: Number(first), last: Number(last) }));
  }

  /** Links of a chain in their order, from behind a place on */
  async links(chain: string, after: number, limit: number): Promise<AuditRow[]> {
    const query = this.#database<AuditRow>(AUDIT).where({ chain }).andWhere('seq', '>', after);
    return (await query.orderBy('seq', 'asc').limit(limit)).map(rowOf);
  }

  /** The hash of a link */
  async hashAt(chain: string, seq: number): Promise<string | undefined> {
    return (await this.#database<AuditRow>(AUDIT).where({ chain, seq }).first('hash'))?.hash;
  }

  /** Up to where a chain was removed after its time */
  async checkpoint(chain: string): Promise<ChainPlace | undefined> {
    const row = await this.#database<AuditRow>(CHECKPOINTS).where({ chain }).orderBy('seq', 'desc').first();
    return row && { seq: Number(row.seq), hash: row.hash };
  }

  /** Records, the youngest first, from behind a place on */
  async entries(filter: AuditFilter, limit: number, after?: AuditCursor): Promise<AuditRow[]> {
    const { from, to, ...equal } = filter;
    const query = this.#database<AuditRow>(AUDIT);
    for (const [column, value] of Object.entries(equal)) if (value !== undefined) query.where(column, value);
    if (from !== undefined) query.where('at', '>=', from);
    if (to !== undefined) query.where('at', '<', to);
    if (after) {
      const { at, chain, seq } = after;
      query.where(older =>
        older
          .where('at', '<', at)
          .orWhere(same => same.where('at', at).andWhere('chain', '<', chain))
          .orWhere(same => same.where({ at, chain }).andWhere('seq', '<', seq)),
      );
    }
    const order = ['at', 'chain', 'seq'].map(column => ({ column, order: 'desc' as const }));
    return (await query.orderBy(order).limit(limit)).map(rowOf);
  }

  /** The last of the oldest links of a chain that are all older than `before` (milliseconds), at most `limit` of them */
  async expired(chain: string, before: number, limit: number): Promise<ChainPlace | undefined> {
    const oldest = await this.links(chain, 0, limit);
    const young = oldest.findIndex(({ at }) => at >= before);
    const last = (young === -1 ? oldest : oldest.slice(0, young)).at(-1);
    return last && { seq: last.seq, hash: last.hash };
  }

  /** Removes a chain up to a link, and leaves a checkpoint in its place: both or neither */
  async prune(chain: string, { seq, hash }: ChainPlace, now: number): Promise<void> {
    await this.#transaction(async transaction => {
      await transaction(CHECKPOINTS).insert({ chain, seq, hash, at: now }).onConflict(['chain', 'seq']).ignore();
      await transaction(AUDIT).where({ chain }).andWhere('seq', '<=', seq).delete();
    });
  }

  /** @throws what went wrong first: on a full disk SQLite rolls back by itself, and that it cannot be done again says nothing */
  async #transaction(work: (transaction: Transaction) => Promise<void>): Promise<void> {
    let first: unknown;
    const noted = (transaction: Transaction) =>
      work(transaction).catch(error => {
        first = error;
        throw error;
      });
    await this.#database.transaction(noted).catch(error => {
      throw first ?? error;
    });
  }
}

/** Numbers are text in PostgreSQL */
function rowOf(row: AuditRow): AuditRow {
  return { ...row, seq: Number(row.seq), at: Number(row.at) };
}
