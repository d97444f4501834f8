import type { DatabaseService } from '@backstage/backend-plugin-api';
import { databaseReason } from '../service/sessionStoreAccess';
import { within } from '../service/within';

type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

const REVISIONS = 'entra_access_revisions';
/** How long one question may take */
const ANSWER_MS = 5_000;

/** The newest directory that any replica has read */
export interface NumberedDirectory {
  epoch: number;
  /** Of its content; `null` before the first one */
  fingerprint: string | null;
  /** The number with which members of groups changed last; 0 where they are not followed */
  members?: number;
}

/** Gives every directory a number that is the same on every replica and grows with time */
export interface DirectoryNumbers {
  /** @throws Error when the database does not answer */
  newest(): Promise<NumberedDirectory>;
  /**
   * Gives the number after `epoch` to a content that was read when `epoch` was the newest.
   * @returns whether it was; otherwise another replica has read the catalog meanwhile, maybe later than this one
   * @throws Error when the database does not answer
   */
  advance(epoch: number, fingerprint: string): Promise<boolean>;
}

/** The numbers in the plugin's database */
export class StoredDirectoryNumbers implements DirectoryNumbers {
  readonly #database: Database;

  /** The tables must be there: `SessionStore.open` makes them */
  constructor(database: Database) {
    this.#database = database;
  }

  async newest(): Promise<NumberedDirectory> {
    const row = await answered(
      this.#database<{ name: string; value: number | string; fingerprint: string | null; members: number | string }>(
        REVISIONS,
      )
        .where({ name: 'directory' })
        .first(),
    );
    if (!row) throw new Error(`${REVISIONS} has no row for the directory`);
    return { epoch: Number(row.value), fingerprint: row.fingerprint, members: Number(row.members) };
  }

  async advance(epoch: number, fingerprint: string): Promise<boolean> {
    const changed = await answered(
      this.#database(REVISIONS)
        .where({ name: 'directory', value: epoch })
        .update({ value: epoch + 1, fingerprint }),
    );
    return changed === 1;
  }
}

/** What a driver says quotes statements: only its code is passed on */
async function answered<T>(question: PromiseLike<T>): Promise<T> {
  try {
    return await within(ANSWER_MS, Promise.resolve(question));
  } catch (error) {
    throw new Error(`the database of entra-access does not answer (${databaseReason(error)})`);
  }
}
