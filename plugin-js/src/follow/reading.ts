import { accountEntries } from '../core';
import { readAccounts, type AccountRow } from './accountRows';
import type { FeedStore } from './feedStore';
import { isSame, isSameLoad, isUsers, keyOf, type FeedKey, type FeedState, type Version } from './feeds';
import type { GroupsRead } from './groupLists';
import { readMembers, type GroupRow } from './memberRows';
import { pagesOf } from './rows';

/** What of a feed the core of this process was told, and of which groups it was asked for: `null` for all of them */
export type Told = Version & Pick<FeedState, 'scope'>;

/** Accounts as the core takes them */
interface AccountsRead {
  /** Whether these are all, or those that have changed */
  all: boolean;
  entries: Uint8Array[];
}

/** Rows read of one tenant, since what the core was told of */
export class Reading {
  readonly #store: FeedStore;
  readonly #before: ReadonlyMap<string, Told>;
  /** By feed */
  readonly told = new Map<string, Told>();
  /** By feed */
  readonly groups = new Map<string, GroupsRead & { rows: Map<string, GroupRow> }>();
  #accounts?: AccountsRead;

  constructor(store: FeedStore, before: ReadonlyMap<string, Told>) {
    this.#store = store;
    this.#before = before;
  }

  /** `undefined` where nothing has changed */
  get accounts(): AccountsRead | undefined {
    return this.#accounts;
  }

  /** Reads what is new of a feed */
  async read(feed: FeedState): Promise<void> {
    const known = this.#known(feed);
    if (isSame(known, feed)) return;
    // A database that went back, as by a failover that lost its last writes, has other rows: what was read since never was.
    const all = !known || !isSameLoad(known, feed) || feed.changed < known.changed;
    const since = all ? 0 : known.changed;
    if (isUsers(feed)) await this.#readAccounts(feed, all, since);
    else await this.#readGroups(feed, all, since);
    const { generation, load, changed, scope } = feed;
    this.told.set(keyOf(feed), { generation, load, changed, scope });
  }

  /** Whether everything was read as it is in these feeds */
  isUpTo(feeds: readonly FeedState[]): boolean {
    return feeds.every(feed => isSame(this.#known(feed), feed));
  }

  #known(feed: FeedKey): Told | undefined {
    return this.told.get(keyOf(feed)) ?? this.#before.get(keyOf(feed));
  }

  async #readAccounts(feed: FeedState, all: boolean, since: number): Promise<void> {
    const entries = all || !this.#accounts ? [] : this.#accounts.entries;
    const { database } = this.#store;
    for await (const rows of pagesOf<AccountRow>(last => readAccounts(database, feed, since, last)))
      entries.push(accountEntries(rows));
    this.#accounts = { all: all || (this.#accounts?.all ?? false), entries };
  }

  async #readGroups(feed: FeedState, all: boolean, since: number): Promise<void> {
    const known = all ? undefined : this.groups.get(keyOf(feed));
    const found = { all: all || (known?.all ?? false), rows: known?.rows ?? new Map<string, GroupRow>() };
    const { database } = this.#store;
    for await (const rows of pagesOf<GroupRow>(last => readMembers(database, feed, since, last)))
      for (const row of rows) found.rows.set(row.id, row);
    this.groups.set(keyOf(feed), found);
  }
}
