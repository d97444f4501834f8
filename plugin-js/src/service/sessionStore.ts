import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseService } from '@backstage/backend-plugin-api';
import type { Principal } from '../core';
import { conflict, principalKey, sharedEnd } from './sessions';
import { UsedTokens } from './usedTokens';

type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

const SESSIONS = 'entra_access_sessions';
const REVISIONS = 'entra_access_revisions';
const MIGRATIONS = join(__dirname, '..', '..', 'migrations');

/** A session as the database holds it */
export interface StoredSession {
  entityRef: string;
  /** Who it is, by ids */
  principal: string;
  /** To be read by the core, which is strict; `null` where it is not even JSON */
  record: unknown;
  /** Seconds since the epoch */
  expiresAt: number;
  /** Number of the write; a later one is greater */
  revision: number;
  /** Number of the write since which the principal and its groups are as they are */
  since: number;
}

/** The numbers of a session: of its write, and of the write since which it is as it is */
export type SessionNumbers = Pick<StoredSession, 'revision' | 'since'>;

/** What became of a write: its numbers, and until when the session lasts */
export type Written = SessionNumbers & Pick<StoredSession, 'expiresAt'>;

interface Row {
  entity_ref: string;
  principal: string;
  record: string;
  // Text in PostgreSQL.
  expires_at: number | string;
  revision: number | string;
  since: number | string;
  issued_at: number | string | null;
  issued_revision: number | string | null;
}

/** The sessions of all replicas, in the plugin's database */
export class SessionStore {
  /** Single-use tokens: not sessions, but what opens one */
  readonly usedTokens: UsedTokens;
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
    this.usedTokens = new UsedTokens(database);
  }

  /**
   * Brings the tables up to date
   * @throws Error that names what is missing where a later version has done so: what its tables mean is not known here
   */
  static async open(service: DatabaseService): Promise<SessionStore> {
    const database = await service.getClient();
    if (!service.migrations?.skip) {
      await database.migrate.latest({ directory: MIGRATIONS }).catch(async (error: unknown) => {
        const later = await unknownMigrations(database).catch(() => []);
        throw later.length === 0
          ? error
          : new Error(
              `the database of entra-access was brought up to date by a later version (${later.join(', ')}): run that one, or ` +
                'restore a backup of before',
            );
      });
    }
    return new SessionStore(database);
  }

  /**
   * Writes a session in the place of an older one of the same principal, and gives its numbers and until when it lasts.
   * @throws ConflictError while another principal is signed in under the ref
   */
  async write(entityRef: string, record: Principal, expiresAt: number, now: number): Promise<Written> {
    const principal = principalKey(record);
    return this.#database.transaction(async transaction => {
      // First of all: the lock on this row lets one writer in after the other, so that numbers ascend in the order of
      // commits, and nobody who reads by number misses one that came late.
      const counted = await transaction(REVISIONS).where({ name: 'sessions' }).increment('value', 1);
      if (counted !== 1) throw new Error(`${REVISIONS} has no row for sessions`);
      const revision = await revisionIn(transaction);
      const present = await transaction<Row>(SESSIONS).where({ entity_ref: entityRef }).first();
      const live = present && Number(present.expires_at) > now ? present : undefined;
      if (live && live.principal !== principal) throw conflict(entityRef);
      const until = sharedEnd(record, expiresAt, Number(live?.expires_at ?? 0));
      // The same person with the same groups owns the same: nobody need wait for this sign-in to arrive everywhere.
      const unchanged =
        present?.principal === principal && membershipIn(parsed(present.record)) === membershipIn(record);
      const since = unchanged ? Number(present.since) : revision;
      // Beside the record, which versions of before read strictly.
      const { issuedAt, ...rest } = record;
      const written = { record: JSON.stringify(rest), issued_at: issuedAt ?? null, issued_revision: revision };
      const columns = { entity_ref: entityRef, principal, ...written, expires_at: until };
      await transaction(SESSIONS)
        .insert({ ...columns, revision, since })
        .onConflict('entity_ref')
        .merge();
      return { revision, since, expiresAt: until };
    });
  }

  /** The session under a ref, expired or not */
  async find(entityRef: string): Promise<StoredSession | undefined> {
    const row = await this.#database<Row>(SESSIONS).where({ entity_ref: entityRef }).first();
    return row && sessionOf(row);
  }

  /** The number of the last write */
  async revision(): Promise<number> {
    return revisionIn(this.#database);
  }

  /** The sessions written after a number, in the order of their writes, at most `limit` */
  async since(revision: number, limit: number): Promise<StoredSession[]> {
    const rows = await this.#database<Row>(SESSIONS)
      .where('revision', '>', revision)
      .orderBy('revision', 'asc')
      .limit(limit);
    return rows.map(sessionOf);
  }

  /** Removes up to `limit` sessions that have expired, and gives their number */
  async removeExpired(now: number, limit: number): Promise<number> {
    const database = this.#database;
    const expired = database<Row>(SESSIONS).where('expires_at', '<=', now).orderBy('expires_at').limit(limit);
    return (
      database<Row>(SESSIONS)
        .whereIn('entity_ref', expired.select('entity_ref'))
        // Once more: one of them may be renewed in the meantime.
        .andWhere('expires_at', '<=', now)
        .delete()
    );
  }
}

/** Names of migrations that were made and are not of this version */
async function unknownMigrations(database: Database): Promise<string[]> {
  // Otherwise this would fail with the very same words.
  const config = { directory: MIGRATIONS, disableMigrationsListValidation: true };
  const [made] = (await database.migrate.list(config)) as [Array<{ name: string }>, unknown];
  const known = new Set(readdirSync(MIGRATIONS));
  return made.filter(({ name }) => !known.has(name)).map(({ name }) => name.replace(/\.\w+$/, ''));
}

async function revisionIn(database: Database): Promise<number> {
  const row = await database<{ name: string; value: number | string }>(REVISIONS).where({ name: 'sessions' }).first();
  if (!row) throw new Error(`${REVISIONS} has no row for sessions`);
  return Number(row.value);
}

/** What of a principal's record changes and bears on ownership, to be compared; one that cannot be read is like no other */
function membershipIn(record: unknown): string | undefined {
  const { groups, roles } = (record ?? {}) as Partial<Principal>;
  return Array.isArray(groups?.ids) ? JSON.stringify([groups.state, [...groups.ids].sort(), roles]) : undefined;
}

function sessionOf(row: Row): StoredSession {
  return {
    entityRef: row.entity_ref,
    principal: row.principal,
    record: withIssued(parsed(row.record), row),
    expiresAt: Number(row.expires_at),
    revision: Number(row.revision),
    since: Number(row.since),
  };
}

/** A version of before leaves the time of an earlier sign-in beside the record of its own */
function withIssued(record: unknown, { issued_at: issuedAt, issued_revision: of, revision }: Row): unknown {
  const known = typeof record === 'object' && record !== null && issuedAt !== null && Number(of) === Number(revision);
  return known ? { ...record, issuedAt: Number(issuedAt) } : record;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
