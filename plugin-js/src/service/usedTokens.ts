import { createHash } from 'node:crypto';
import type { DatabaseService } from '@backstage/backend-plugin-api';

type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

const USED = 'entra_access_used_tokens';
/** Replicas' clocks differ: a row outlives its token by so many seconds, so that no slow one takes the token again */
const KEPT_SECONDS = 15 * 60;

/** A token that counts once, as its issuer names it */
export interface SingleUse {
  issuer: string;
  jti: string;
  /** Seconds since the epoch, from which on the token is refused anyway */
  until: number;
}

interface Row {
  digest: string;
  // Text in PostgreSQL.
  expires_at: number | string;
}

/** Which single-use tokens were offered, at any replica */
export class UsedTokens {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Claims the one use; `false` where it was claimed before. Of many who try at once exactly one succeeds */
  async claim({ issuer, jti, until }: SingleUse): Promise<boolean> {
    const row = { digest: digestOf(issuer, jti), expires_at: until };
    // The database decides, by its primary key: looking first and writing then would let two in.
    const inserted: unknown[] = await this.#database<Row>(USED)
      .insert(row)
      .onConflict('digest')
      .ignore()
      .returning('digest');
    return inserted.length === 1;
  }

  /** Removes up to `limit` rows that nobody can need any more, and gives their number */
  async removeExpired(now: number, limit: number): Promise<number> {
    const database = this.#database;
    const expired = database<Row>(USED)
      .where('expires_at', '<=', now - KEPT_SECONDS)
      .limit(limit);
    return database<Row>(USED).whereIn('digest', expired.select('digest')).delete();
  }
}

/** Of constant length, whatever the issuer writes; an address has no line break in it, so no two pairs are alike */
function digestOf(issuer: string, jti: string): string {
  return createHash('sha256').update(`${issuer}\n${jti}`).digest('hex');
}
