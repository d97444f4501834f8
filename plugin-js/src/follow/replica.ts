import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EntraCore } from '../core';
import type { DirectoryEpoch } from '../service/directoryEpoch';
import { Ages } from './ages';
import type { FeedStore, Sample } from './feedStore';
import { FORMAT, isFollowed, isReadable, isSame, isUsers, keyOf, USERS, type FeedState } from './feeds';
import { coveredBy, differences, doubled, listsAfter, togetherOf, type GroupLists } from './groupLists';
import { memberPages } from './memberPages';
import { Reading, type Told } from './reading';

/** How often it is looked whether a writer was faster than the reading */
const ATTEMPTS = 5;
const NOTHING: GroupLists = new Map();

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
  /** By feed: what the core was told */
  readonly #told = new Map<string, Told>();
  /** By feed: what it knows of groups */
  readonly #lists = new Map<string, GroupLists>();
  /** By tenant: the groups of all of its feeds, as the core has them */
  readonly #groups = new Map<string, GroupLists>();
  /** Of which completion the core was told */
  readonly #rounds = new Map<string, number>();
  /** Since when a tenant is behind the database, in milliseconds of no clock in particular */
  readonly #behind = new Map<string, number>();
  /** Which server the database was at */
  #server?: string;
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

  /** The same of those of its feeds that are asked what has changed, and by the database's clock alone; `undefined` where there is none */
  followedAgeOf(tenant: string): number | undefined {
    const { asked, now } = this.#sample ?? { asked: 0, now: 0 };
    const followed = this.feedsOf(tenant).filter(isFollowed);
    if (followed.length === 0) return undefined;
    const oldest = Math.min(...followed.map(({ completedAt }) => completedAt ?? 0));
    return now - oldest + performance.now() - asked;
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
    // What one server has told is none of another: everything is read anew.
    if (this.#server !== undefined && this.#server !== sample.server) this.#told.clear();
    this.#server = sample.server;
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
    const isBehind = (feeds: FeedState[], tenant: string) => hasUsers(feeds) && this.#isNew(tenant, feeds);
    if (whole && !tenants.some(tenant => isBehind(this.#feeds(sample, tenant), tenant)))
      epoch.membersAre(sample.members);
    if (errors.length > 0) throw errors[0];
  }

  /**
   * What is newest of a tenant, and whether this process has all that there is of the tenants so far. What can be read counts while
   * the rest is being loaded: whoever has no account in force is refused, and groups stay unknown until all are there
   */
  async #follow(tenant: string, sample: Sample, whole: boolean): Promise<[Sample, boolean]> {
    this.#sample = sample;
    const feeds = this.#feeds(sample, tenant);
    // By its accounts first. Of a tenant that is known all the rest goes on, whatever of it cannot be read just now.
    const known =
      this.#told.has(keyOf({ tenant, feed: USERS })) || feeds.some(each => isUsers(each) && isReadable(each));
    // Of a tenant that was never loaded there is nothing that others could have and this process lacks.
    if (!known) return [sample, whole && !hasUsers(feeds)];
    if (this.#isNew(tenant, feeds)) {
      if (!this.#behind.has(tenant)) this.#behind.set(tenant, performance.now());
      this.#sample = await this.#load(tenant, sample);
    }
    this.#behind.delete(tenant);
    const now = this.#feeds(this.#sample, tenant);
    if (isComplete(now)) this.#completed(tenant, this.#sample);
    return [this.#sample, whole && now.every(({ format }) => format <= FORMAT)];
  }

  /** Feeds of a tenant that this version can read, its users first */
  #feeds({ states }: Sample, tenant: string): FeedState[] {
    const counts = (feed: string) => feed === USERS || this.#options.counts(feed);
    const feeds = states.filter(state => state.tenant === tenant && counts(state.feed));
    return feeds.sort((a, b) => Number(isUsers(b)) - Number(isUsers(a)));
  }

  #isNew(tenant: string, feeds: readonly FeedState[]): boolean {
    const isTold = (feed: FeedState) => isSame(this.#told.get(keyOf(feed)), feed);
    return !feeds.filter(isReadable).every(isTold) || this.#removed(tenant, feeds).length > 0;
  }

  /** Feeds of groups that the core was told of and that are there no longer */
  #removed(tenant: string, feeds: readonly FeedState[]): string[] {
    const there = new Set(feeds.map(keyOf));
    return [...this.#lists.keys()].filter(key => key.startsWith(`${tenant}/`) && !there.has(key));
  }

  /** Reads until nobody has written meanwhile, and tells the core all at once */
  async #load(tenant: string, first: Sample): Promise<Sample> {
    const { store } = this.#options;
    let sample = first;
    const reading = new Reading(store, this.#told);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      for (const feed of this.#feeds(sample, tenant).filter(isReadable)) await reading.read(feed);
      sample = await store.sample();
      const feeds = this.#feeds(sample, tenant);
      if (reading.isUpTo(feeds.filter(isReadable))) {
        await this.#tell(tenant, reading, feeds);
        return sample;
      }
    }
    throw new Error(`tenant ${tenant} changes faster than it can be read`);
  }

  async #tell(tenant: string, reading: Reading, feeds: readonly FeedState[]): Promise<void> {
    // What was removed is forgotten, also where it was read just now. Accounts are never.
    const there = new Set([keyOf({ tenant, feed: USERS }), ...feeds.map(keyOf)]);
    const read = new Map([...this.#of(tenant, this.#told), ...reading.told]);
    const told = new Map([...read].filter(([key]) => there.has(key)));
    try {
      const { accounts, groups } = reading;
      if (accounts) taken(this.#options.core.accounts.take(tenant, accounts.all ? 'all' : 'changes', accounts.entries));
      if (groups.size > 0 || told.size < read.size) await this.#tellMembers(tenant, reading, told);
    } catch (error) {
      // What the core has of it is not sure: everything once more.
      this.#groups.delete(tenant);
      for (const map of [this.#told, this.#lists] as Array<Map<string, unknown>>)
        for (const [key] of this.#of(tenant, map)) map.delete(key);
      throw error;
    }
    for (const key of read.keys()) this.#told.delete(key);
    for (const [key, version] of told) this.#told.set(key, version);
  }

  async #tellMembers(tenant: string, { groups }: Reading, told: ReadonlyMap<string, Told>): Promise<void> {
    const { core, logger } = this.#options;
    const lists = new Map(this.#of(tenant, this.#lists).filter(([key]) => told.has(key)));
    for (const [key, read] of groups) if (told.has(key)) lists.set(key, listsAfter(read, lists.get(key)));
    const before = this.#groups.get(tenant);
    const scopes = [...lists.keys()].map(key => told.get(key)?.scope ?? null);
    const after = togetherOf(lists.values(), doubled(scopes));
    const loading = taken(core.members.begin(tenant, before ? 'changes' : 'all', coveredBy(scopes)));
    for (const page of memberPages(differences(before ?? NOTHING, after))) {
      taken(loading.add(page));
      // A page is some ten milliseconds: whoever waits has their turn.
      await new Promise(resolve => setImmediate(resolve));
    }
    const report = taken(loading.commit(() => memberPages(differences(NOTHING, after))));
    this.#groups.set(tenant, after);
    for (const [key] of this.#of(tenant, this.#lists)) this.#lists.delete(key);
    for (const [key, each] of lists) this.#lists.set(key, each);
    if (!before)
      logger.info(
        `tenant ${tenant}: ${report.memberships} memberships, ${report.groups} groups, ${report.nested} nested`,
      );
  }

  /** What a map by feed has of a tenant */
  #of<T>(tenant: string, byFeed: ReadonlyMap<string, T>): Array<[string, T]> {
    return [...byFeed].filter(([key]) => key.startsWith(`${tenant}/`));
  }

  #completed(tenant: string, sample: Sample): void {
    // What is being loaded for the first time is not known yet, and the core knows that.
    const loaded = this.#feeds(sample, tenant).filter(isReadable);
    const moment = Math.min(...loaded.map(({ completedAt }) => completedAt ?? 0));
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

/**
 * A tenant counts when its users are there and some of its groups. Others that were not loaded yet are not covered, which is the
 * core's affair
 */
function isComplete(feeds: readonly FeedState[]): boolean {
  const loaded = feeds.filter(isReadable);
  return feeds.every(({ format }) => format <= FORMAT) && loaded.some(isUsers) && loaded.some(feed => !isUsers(feed));
}

/** Whether its users were ever loaded: without them nothing of a tenant counts, on any replica */
function hasUsers(feeds: readonly FeedState[]): boolean {
  return feeds.some(feed => isUsers(feed) && feed.load > 0);
}

function taken<T>(outcome: { ok: true; value: T } | { ok: false; error: string }): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`the core does not take them: ${outcome.error}`);
}
