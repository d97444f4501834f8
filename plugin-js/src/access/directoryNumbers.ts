import type { DatabaseService } from '@backstage/backend-plugin-api';
import { answered } from '../service/answered';

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
  /** How often it was numbered for what the catalog says; members of groups count `epoch` on without it */
  catalog: number;
}

/** Gives every directory a number that is the same on every replica and grows with time */
export interface DirectoryNumbers {
  /** @throws Error when the database does not answer */
  newest(): Promise<NumberedDirectory>;
  /**
   * Gives the next number to a content that was read when `newest` was the newest of the catalog. Members that have changed meanwhile
   * do not matter: they would keep the catalog from ever being taken.
   * @returns the number; `undefined` when another replica has read the catalog meanwhile, maybe later than this one
   * @throws Error when the database does not answer
   */
  advance(newest: NumberedDirectory, fingerprint: string): Promise<NumberedDirectory | undefined>;
}

/** The numbers in the plugin's database */
export class StoredDirectoryNumbers implements DirectoryNumbers {
  readonly #database: Database;

  /** The tables must be there: `SessionStore.open` makes them */
  constructor(database: Database) {
    this.#database = database;
  }

  async newest(): Promise<NumberedDirectory> {
    const row = await answered(this.#database<Row>(REVISIONS).where({ name: 'directory' }).first(), ANSWER_MS);
    if (!row) throw new Error(`${REVISIONS} has no row for the directory`);
    return numberedOf(row);
  }

  async advance(newest: NumberedDirectory, fingerprint: string): Promise<NumberedDirectory | undefined> {
    const one = (column: string) => this.#database.raw('?? + 1', [column]);
    const next = { value: one('value'), catalog: one('catalog'), fingerprint };
    const rows = await answered(
      this.#database(REVISIONS)
        // By the content as well: versions of before do not count the catalog.
        .where({ name: 'directory', catalog: newest.catalog, fingerprint: newest.fingerprint })
        .update(next, ['value', 'fingerprint', 'members', 'catalog']),
      ANSWER_MS,
    );
    const [row] = rows as Row[];
    return row && numberedOf(row);
  }
}

/** Numbers are text in PostgreSQL */
interface Row {
  name: string;
  value: number | string;
  fingerprint: string | null;
  members: number | string;
  catalog: number | string;
}

function numberedOf({ value, fingerprint, members, catalog }: Row): NumberedDirectory {
  return { epoch: Number(value), fingerprint, members: Number(members), catalog: Number(catalog) };
}
