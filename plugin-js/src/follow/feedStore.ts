import { randomUUID } from 'node:crypto';
import { within } from '../service/within';
import { answered, LONG_MS } from '../service/answered';
import { commonAccounts, hasAccounts, keepVanished, mergeAccounts, removeAccounts } from './accountRows';
import type { AccountChange, GroupChange } from './deltaPages';
import {
  FORMAT,
  isUsers,
  SETTLED_FORMAT,
  SupersededError,
  type Database,
  type FeedKey,
  type FeedState,
  type Load,
} from './feeds';
import { commonMembers, hasMembers, mergeMembers, removeFeed, removeMembers } from './memberRows';

const FEEDS = 'entra_access_feeds';
const REVISIONS = 'entra_access_revisions';
/** Rows of an old load removed in one statement, between which others have their turn */
const REMOVED_AT_ONCE = 500;

/** What pages say of the users or of the groups, in their order */
export type Changes = readonly AccountChange[] | readonly GroupChange[];

/** A round of questions for what has changed, maybe of several runs */
export interface Round {
  /** By the clock of the database: rows are as old at its end */
  begun: number;
  /** Pages so far */
  pages: number;
  /** Whether this is all that there is */
  over: boolean;
}

type Columns = Record<string, string | number | null>;

/** What the database says at one moment */
export interface Sample {
  /** When it was asked, in milliseconds of `performance.now()` */
  asked: number;
  /** Milliseconds since 1970 by its clock */
  now: number;
  /** Another one has taken its place where this is another: it may lack the last writes, and give out their numbers once more */
  server: string;
  /** The number with which members of groups changed last (docs/decisions/0005) */
  members: number;
  states: FeedState[];
}

/**
 * What is known of each tenant, and where to go on asking: rows and link are written in one transaction, which only the writer
 * who knows the last revision can make.
 */
export class FeedStore {
  readonly database: Database;

  /** The tables must be there: `SessionStore.open` makes them */
  constructor(database: Database) {
    this.database = database;
  }

  /** Milliseconds since 1970 by the one clock that all replicas share */
  async now(): Promise<number> {
    const [row] = await answered(this.database.select(this.#now()));
    return Number((row as { now: number | string }).now);
  }

  /** All feeds as they are at one moment; one statement, as every replica asks every few seconds */
  async sample(): Promise<Sample> {
    const asked = performance.now();
    const query = this.database(REVISIONS)
      .leftJoin(FEEDS, join => join.on(this.database.raw('1 = 1')))
      .where({ name: 'directory' })
      .select(`${FEEDS}.*`, this.#now(), this.#server(), `${REVISIONS}.members as members`);
    const rows = (await answered(query)) as Columns[];
    const [first] = rows;
    if (!first) throw new Error(`${REVISIONS} has no row for the directory`);
    const states = rows.filter(row => row.tenant !== null).map(stateOf);
    return { asked, now: Number(first.now), server: String(first.server), members: Number(first.members), states };
  }

  get #isSqlite(): boolean {
    return /sqlite/.test(String(this.database.client.config.client));
  }

  #server() {
    return this.database.raw(`${this.#isSqlite ? "''" : 'cast(pg_postmaster_start_time() as text)'} as server`);
  }

  #now() {
    const expression = this.#isSqlite
      ? "cast((julianday('now') - 2440587.5) * 86400000 as integer)"
      : 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)';
    return this.database.raw(`${expression} as now`);
  }

  /** A feed as it is */
  async find({ tenant, feed }: FeedKey): Promise<FeedState | undefined> {
    const found = (await answered(this.database(FEEDS).where({ tenant, feed }).first())) as Columns | undefined;
    return found && stateOf(found);
  }

  /** A new feed; the one that another writer has made meanwhile */
  async open({ tenant, feed }: FeedKey, scope: readonly string[] | null = null): Promise<FeedState> {
    const none = { revision: 0, changed: 0, load: 0, staged: 0, staged_pages: 0, round_pages: 0 };
    const row = {
      tenant,
      feed,
      ...none,
      format: SETTLED_FORMAT,
      generation: randomUUID(),
      scope: scope && JSON.stringify(scope),
    };
    await answered(this.database(FEEDS).insert(row).onConflict(['tenant', 'feed']).ignore());
    const made = await this.find({ tenant, feed });
    if (!made) throw new SupersededError(`another writer has removed ${feed} of ${tenant}`);
    return made;
  }

  /** Begins a load of everything, beside the one that counts; maybe of other groups than before */
  begin(state: FeedState, now: number, scope = state.scope): Promise<FeedState> {
    return this.#write(state, async (_, revision) => ({
      scope: scope && JSON.stringify(scope),
      link: null,
      // Numbers of loads ascend, as those of writes do.
      staged: revision,
      staged_link: null,
      staged_pages: 0,
      staged_since: now,
      round_since: null,
      round_pages: 0,
    }));
  }

  /**
   * Adds a page to the load under way, with where to go on
   * @param whole whether all pages are there with this one, so that what comes next is what has changed since
   */
  stage(state: FeedState, changes: Changes, link: string, whole: boolean): Promise<FeedState> {
    return this.#write(state, async (transaction, revision) => {
      await this.#merge(transaction, { ...state, load: state.staged }, changes, revision);
      return { link: whole ? link : null, staged_link: whole ? null : link, staged_pages: state.stagedPages + 1 };
    });
  }

  /** Gives up the load under way */
  discard(state: FeedState, held: string | null): Promise<FeedState> {
    return this.#write(state, async () => ({ link: null, staged: 0, staged_link: null, staged_pages: 0, held }));
  }

  /** Swaps to the load that was under way and is complete */
  swap(state: FeedState): Promise<FeedState> {
    return this.#write(state, async (transaction, revision) => {
      const after = { ...state, load: state.staged };
      if (isUsers(state)) {
        if (state.load > 0) await keepVanished(transaction, state, after, revision);
      } else await nextEpoch(transaction);
      return {
        load: state.staged,
        staged: 0,
        staged_pages: 0,
        changed: revision,
        completed_at: state.stagedSince,
        held: null,
        error: null,
      };
    });
  }

  /** Writes down what has changed, with where to go on */
  apply(state: FeedState, changes: Changes, link: string, { begun, pages, over }: Round): Promise<FeedState> {
    return this.#write(state, async (transaction, revision) => {
      const count = await this.#merge(transaction, state, changes, revision);
      if (count > 0 && !isUsers(state)) await nextEpoch(transaction);
      return {
        link,
        ...(count > 0 ? { changed: revision } : {}),
        ...(over
          ? { completed_at: begun, error: null, round_since: null, round_pages: 0 }
          : { round_since: begun, round_pages: pages }),
      };
    });
  }

  /** Says why a round failed; not a write that others would have to know of */
  async failed({ tenant, feed }: FeedKey, error: string): Promise<void> {
    await answered(
      this.database(FEEDS)
        .where({ tenant, feed })
        .where('format', '<=', FORMAT)
        .update({ error: error.slice(0, 500) }),
    );
  }

  /** How much of what counts is in the load under way, too */
  async common(state: FeedState): Promise<{ total: number; common: number; empty: boolean }> {
    const after: Load = { ...state, load: state.staged };
    const [count, has] = isUsers(state) ? [commonAccounts, hasAccounts] : [commonMembers, hasMembers];
    const counts = state.load > 0 ? await count(this.database, state, after) : { total: 0, common: 0 };
    return { ...counts, empty: !(await answered(has(this.database, after))) };
  }

  /** Removes rows of loads that nobody needs any more */
  async purge(state: FeedState): Promise<void> {
    if (state.format > FORMAT) return;
    const remove = isUsers(state) ? removeAccounts : removeMembers;
    const needed = [state.load, state.staged];
    // What another writer has begun since has a greater number, as numbers of loads are those of writes.
    const last = { ...state, load: state.revision };
    while ((await answered(remove(this.database, last, needed, REMOVED_AT_ONCE))) === REMOVED_AT_ONCE);
  }

  /** Removes a feed of groups with all of its rows */
  async remove(state: FeedState): Promise<void> {
    if (state.format > FORMAT) return;
    const removed = this.database.transaction(async transaction => {
      const { tenant, feed, revision } = state;
      const gone = await transaction(FEEDS).where({ tenant, feed, revision }).delete();
      if (gone !== 1) throw new SupersededError(`another writer has written ${feed} of ${tenant}`);
      await removeFeed(transaction, state);
      await nextEpoch(transaction);
    });
    await within(LONG_MS, removed);
  }

  #merge(transaction: Database, load: Load, changes: Changes, revision: number): Promise<number> {
    return isUsers(load)
      ? mergeAccounts(transaction, load, changes as readonly AccountChange[], revision)
      : mergeMembers(transaction, load, changes as readonly GroupChange[], revision);
  }

  /** @throws SupersededError when another writer has written since `state` was read */
  async #write(
    state: FeedState,
    work: (transaction: Database, revision: number) => Promise<Columns>,
  ): Promise<FeedState> {
    if (state.format > FORMAT) throw new SupersededError('a newer version of entra-access writes this feed');
    const { tenant, feed } = state;
    const revision = state.revision + 1;
    const written = this.database.transaction(async transaction => {
      // First of all: the lock on this row lets one writer in after the other, and who comes second finds another number.
      const counted = await transaction(FEEDS).where({ tenant, feed, revision: state.revision }).update({ revision });
      if (counted !== 1) throw new SupersededError(`another writer has written ${feed} of ${tenant}`);
      const columns = await work(transaction, revision);
      await transaction(FEEDS)
        .where({ tenant, feed })
        .update({ ...columns, format: (columns.staged ?? state.staged) ? FORMAT : SETTLED_FORMAT });
      return stateOf((await transaction(FEEDS).where({ tenant, feed }).first()) as Columns);
    });
    // Should it be written after all, the next write finds another number.
    return within(LONG_MS, written);
  }
}

/** Counts the epoch on, which every replica follows (docs/decisions/0005); last, as everybody who reads the catalog waits for it */
async function nextEpoch(transaction: Database): Promise<void> {
  const next = transaction.raw('value + 1');
  const counted = await transaction(REVISIONS).where({ name: 'directory' }).update({ value: next, members: next });
  if (counted !== 1) throw new Error(`${REVISIONS} has no row for the directory`);
}

function stateOf(row: Columns): FeedState {
  const number = (name: string) => Number(row[name] ?? 0);
  const moment = (name: string) => (row[name] === null || row[name] === undefined ? null : Number(row[name]));
  const text = (name: string) => (typeof row[name] === 'string' ? (row[name] as string) : null);
  const scope = text('scope');
  return {
    tenant: text('tenant') ?? '',
    feed: text('feed') ?? '',
    generation: text('generation') ?? '',
    format: number('format'),
    revision: number('revision'),
    changed: number('changed'),
    load: number('load'),
    staged: number('staged'),
    scope: scope === null ? null : (JSON.parse(scope) as string[]),
    link: text('link'),
    stagedLink: text('staged_link'),
    stagedPages: number('staged_pages'),
    stagedSince: moment('staged_since'),
    completedAt: moment('completed_at'),
    roundSince: moment('round_since'),
    roundPages: number('round_pages'),
    held: text('held'),
    error: text('error'),
  };
}
