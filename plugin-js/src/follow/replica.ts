import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EntraCore } from '../core';
import type { DirectoryEpoch } from '../service/directoryEpoch';
import { readAccounts, type AccountRow } from './accountRows';
import { accountPage } from './accountPages';
import { Ages } from './ages';
import { answered, type FeedStore, type Sample } from './feedStore';
import { FORMAT, isUsers, USERS, type FeedState } from './feeds';
import { memberPages, type GroupDifference } from './memberPages';
import { readMembers, type GroupRow } from './memberRows';

/** How often it is looked whether a writer was faster than the reading */
const ATTEMPTS = 5;
const NOBODY = Buffer.alloc(0);

/** Which rows the core of this process has been told of */
interface Told {
  load: number;
  changed: number;
}

interface Options {
  store: FeedStore;
  core: Pick<EntraCore, 'members' | 'accounts' | 'freshness'>;
  epoch: Pick<DirectoryEpoch, 'membersAre'>;
  /** Tenants that are followed */
  tenants: readonly string[];
  /** Whether a feed of groups is one that counts */
  counts: (feed: string) => boolean;
  logger: Pick<LoggerService, 'info' | 'warn'>;
}

/**
 * Tells the core of this process what the database holds: everything once, then what has changed. Nothing of a tenant counts
 * before all of it is here, and each change counts as a whole.
 */
export class Replica {
  readonly #options: Options;
  readonly #ages = new Ages();
  readonly #told = new Map<string, Told>();
  /** By feed and group: the direct members, as the core has them */
  readonly #lists = new Map<string, Lists>();
  /** Of which completion the core was told */
  readonly #rounds = new Map<string, number>();
  /** Since when a tenant is behind the database, in milliseconds of no clock in particular */
  readonly #behind = new Map<string, number>();
  #running?: Promise<void>;
  #again = false;
  #sample?: Sample;
  #error?: string;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Why the last poll failed */
  get error(): string | undefined {
    return this.#error;
  }

  /** The feeds of a tenant as the database had them at the last poll */
  feedsOf(tenant: string): FeedState[] {
    return this.#sample ? this.#feeds(this.#sample, tenant) : [];
  }

  /** Milliseconds for which the core has been behind the database; 0 when it is not */
  lagOf(tenant: string): number {
    const since = this.#behind.get(tenant);
    return since === undefined ? 0 : performance.now() - since;
  }

  /** Milliseconds since a tenant was known to be complete; `undefined` before that */
  ageOf(tenant: string): number | undefined {
    return this.#ages.of(tenant);
  }

  /** Takes in what is new. Never fails; a poll that is asked for during another one follows it */
  poll(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#pollOnce()
      .then(
        () => (this.#error = undefined),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => (this.#running = undefined))
      .then(() => {
        if (!this.#again) return undefined;
        this.#again = false;
        return this.poll();
      });
    return this.#running;
  }

  async #pollOnce(): Promise<void> {
    const { store, tenants, epoch } = this.#options;
    let sample = await store.sample();
    let whole = true;
    const errors: unknown[] = [];
    for (const tenant of tenants) {
      try {
        [sample, whole] = await this.#follow(tenant, sample, whole);
      } catch (error) {
        // Others go on.
        whole = false;
        errors.push(error);
      }
    }
    if (whole && tenants.every(tenant => !this.#isNew(this.#feeds(sample, tenant)))) epoch.membersAre(sample.members);
    if (errors.length > 0) throw errors[0];
  }

  /**
   * What is newest of a tenant, and whether all tenants so far are complete. What can be read counts while the rest is being loaded:
   * whoever has no account in force is refused, and groups stay unknown until all are there
   */
  async #follow(tenant: string, sample: Sample, whole: boolean): Promise<[Sample, boolean]> {
    this.#sample = sample;
    const feeds = this.#feeds(sample, tenant);
    const complete = isComplete(feeds);
    // By its accounts first. Of a tenant that is known all the rest goes on, whatever of it cannot be read just now.
    const known =
      this.#told.has(keyOf({ tenant, feed: USERS })) || feeds.some(each => isUsers(each) && isReadable(each));
    if (!known) return [sample, false];
    if (this.#isNew(feeds)) {
      if (!this.#behind.has(tenant)) this.#behind.set(tenant, performance.now());
      this.#sample = await this.#load(tenant, sample);
    }
    this.#behind.delete(tenant);
    if (isComplete(this.#feeds(this.#sample, tenant))) this.#completed(tenant, this.#sample);
    return [this.#sample, whole && complete];
  }

  /** Feeds of a tenant that this version can read, its users first */
  #feeds({ states }: Sample, tenant: string): FeedState[] {
    const counts = (feed: string) => feed === USERS || this.#options.counts(feed);
    const feeds = states.filter(state => state.tenant === tenant && counts(state.feed));
    return feeds.sort((a, b) => Number(isUsers(b)) - Number(isUsers(a)));
  }

  #isNew(feeds: readonly FeedState[]): boolean {
    const same = (feed: FeedState) => {
      const told = this.#told.get(keyOf(feed));
      return told?.load === feed.load && told.changed === feed.changed;
    };
    return !feeds.filter(isReadable).every(same);
  }

  /** Reads until nobody has written meanwhile, and tells the core all at once */
  async #load(tenant: string, first: Sample): Promise<Sample> {
    const { store } = this.#options;
    let sample = first;
    const reading = new Reading(store, this.#told);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      for (const feed of this.#feeds(sample, tenant).filter(isReadable)) await reading.read(feed);
      sample = await store.sample();
      if (reading.isUpTo(this.#feeds(sample, tenant).filter(isReadable))) {
        await this.#tell(tenant, reading);
        return sample;
      }
    }
    throw new Error(`tenant ${tenant} changes faster than it can be read`);
  }

  async #tell(tenant: string, reading: Reading): Promise<void> {
    try {
      this.#tellAccounts(tenant, reading);
      await this.#tellMembers(tenant, reading);
    } catch (error) {
      // What the core has of it is not sure: everything once more.
      for (const map of [this.#told, this.#lists])
        for (const key of [...map.keys()]) if (key.startsWith(`${tenant}/`)) map.delete(key);
      throw error;
    }
    for (const [key, told] of reading.told) this.#told.set(key, told);
  }

  #tellAccounts(tenant: string, { accounts }: Reading): void {
    if (!accounts) return;
    const { core } = this.#options;
    const loading = taken(core.accounts.begin(tenant, accounts.all ? 'all' : 'changes'));
    for (const page of accounts.pages) taken(loading.add(page));
    taken(loading.commit());
  }

  async #tellMembers(tenant: string, { groups }: Reading): Promise<void> {
    const { core, logger } = this.#options;
    if (groups.size === 0) return;
    const of = (key: string) => key.startsWith(`${tenant}/`);
    const before = new Map([...this.#lists].filter(([key]) => of(key)));
    const after = new Map(before);
    for (const [key, read] of groups) after.set(key, listsAfter(read, before.get(key)));
    const loading = taken(core.members.begin(tenant, before.size > 0 ? 'changes' : 'all'));
    for (const page of memberPages(differences(before, after))) {
      taken(loading.add(page, false));
      // A page is some ten milliseconds: whoever waits has their turn.
      await new Promise(resolve => setImmediate(resolve));
    }
    const report = taken(loading.commit(() => memberPages(differences(new Map(), after))));
    for (const [key, lists] of after) this.#lists.set(key, lists);
    if (before.size === 0)
      logger.info(
        `tenant ${tenant}: ${report.memberships} memberships, ${report.groups} groups, ${report.nested} nested`,
      );
  }

  #completed(tenant: string, sample: Sample): void {
    const moment = Math.min(...this.#feeds(sample, tenant).map(({ completedAt }) => completedAt ?? 0));
    const age = this.#ages.seen(tenant, moment, sample.now, sample.asked);
    if (age === undefined || this.#rounds.get(tenant) === moment) return;
    this.#rounds.set(tenant, moment);
    // By the clock of this machine, as everything that the core compares it with.
    this.#options.core.freshness.set(tenant, Math.floor((Date.now() - age) / 1000));
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : 'failed';
    // Tried again every few seconds: the same words each time would only fill the log.
    if (reason !== this.#error) this.#options.logger.warn(`groups and accounts stay as they were: ${reason}`);
    this.#error = reason;
  }
}

/** Direct members by group */
type Lists = ReadonlyMap<string, Buffer>;

interface GroupsRead {
  /** Whether it is all of the feed, or what has changed */
  all: boolean;
  rows: Map<string, GroupRow>;
}

/** Rows read of one tenant, since what the core was told of */
class Reading {
  readonly #store: FeedStore;
  readonly #before: ReadonlyMap<string, Told>;
  readonly told = new Map<string, Told>();
  /** By feed */
  readonly groups = new Map<string, GroupsRead>();
  #accounts?: { all: boolean; pages: Uint8Array[] };

  constructor(store: FeedStore, before: ReadonlyMap<string, Told>) {
    this.#store = store;
    this.#before = before;
  }

  /** Pages of accounts; `undefined` where nothing has changed */
  get accounts(): { all: boolean; pages: Uint8Array[] } | undefined {
    return this.#accounts;
  }

  async read(feed: FeedState): Promise<void> {
    const key = keyOf(feed);
    const known = this.told.get(key) ?? this.#before.get(key);
    const { load, changed } = feed;
    if (known?.load === load && known.changed === changed) return;
    const all = known?.load !== load;
    const since = all ? 0 : known.changed;
    if (isUsers(feed)) await this.#readAccounts(feed, all, since);
    else await this.#readGroups(feed, all, since);
    this.told.set(key, { load, changed });
  }

  /** Whether everything was read as it is in these feeds */
  isUpTo(feeds: readonly FeedState[]): boolean {
    return feeds.every(feed => {
      const told = this.told.get(keyOf(feed)) ?? this.#before.get(keyOf(feed));
      return told?.load === feed.load && told.changed === feed.changed;
    });
  }

  async #readAccounts(feed: FeedState, all: boolean, since: number): Promise<void> {
    const pages = all || !this.#accounts ? [] : this.#accounts.pages;
    let last: AccountRow | undefined;
    for (;;) {
      const rows = await answered(readAccounts(this.#store.database, feed, since, last));
      last = rows.at(-1);
      if (!last) break;
      pages.push(accountPage(rows));
    }
    this.#accounts = { all: all || (this.#accounts?.all ?? false), pages };
  }

  async #readGroups(feed: FeedState, all: boolean, since: number): Promise<void> {
    const known = all ? undefined : this.groups.get(keyOf(feed));
    const found = { all: all || (known?.all ?? false), rows: known?.rows ?? new Map<string, GroupRow>() };
    let last: GroupRow | undefined;
    for (;;) {
      const rows = await answered(readMembers(this.#store.database, feed, since, last));
      last = rows.at(-1);
      if (!last) break;
      for (const row of rows) found.rows.set(row.id, row);
    }
    this.groups.set(keyOf(feed), found);
  }
}

/** Whether there are rows, and such as this version can read */
function isReadable({ load, format }: FeedState): boolean {
  return load > 0 && format <= FORMAT;
}

/** A tenant counts when its users and its groups are there */
function isComplete(feeds: readonly FeedState[]): boolean {
  return feeds.every(isReadable) && feeds.some(isUsers) && feeds.some(feed => !isUsers(feed));
}

/** The members of all groups of a feed */
function listsAfter({ all, rows }: GroupsRead, before: Lists = new Map()): Lists {
  // Groups that a new load does not know are empty, and so are deleted ones.
  const lists = new Map(all ? [...before.keys()].map(id => [id, NOBODY]) : before);
  for (const { id, members, removed } of rows.values()) lists.set(id, removed ? NOBODY : members);
  return lists;
}

function* differences(
  before: ReadonlyMap<string, Lists>,
  after: ReadonlyMap<string, Lists>,
): Generator<GroupDifference> {
  for (const [key, lists] of after) {
    const earlier = before.get(key);
    if (earlier === lists) continue;
    for (const [id, list] of lists) {
      const old = earlier?.get(id);
      if (old !== list) yield { id, before: old ?? NOBODY, after: list };
    }
  }
}

function keyOf({ tenant, feed }: Pick<FeedState, 'tenant' | 'feed'>): string {
  return `${tenant}/${feed}`;
}

function taken<T>(outcome: { ok: true; value: T } | { ok: false; error: string }): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`the core does not take them: ${outcome.error}`);
}
