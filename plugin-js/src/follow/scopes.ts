import { MAX_FILTERED } from '../graph/limits';
import { answered } from '../service/answered';
import type { FeedStore } from './feedStore';
import { isUsers, keyOf, USERS, type FeedState } from './feeds';
import { findMembers, nestedIn, readMembers, type GroupRow } from './memberRows';
import { pagesOf } from './rows';

const ALL_GROUPS = 'groups';
const PART = 'groups/';
/** Feeds of the other setting go on to be kept for so long after they were asked last: replicas with both may run side by side */
const KEPT_MS = 24 * 3600_000;
/** A part none of whose groups is needed any more goes on for so long: a rule may come back, and replicas may have different ones for a while */
const NEEDLESS_MS = 3600_000;

interface Options {
  store: FeedStore;
  groups: 'all' | 'matter';
  /** Object ids of the groups that access hangs on; `undefined` while that is not known */
  wanted: () => ReadonlySet<string> | undefined;
}

/** Which delta queries there are: of the users, and of all groups or of those that matter, 50 in each */
export class Scopes {
  readonly #options: Options;
  /** By feed: the groups inside its groups, as of a version of it */
  readonly #nested = new Map<string, { version: string; groups: ReadonlyMap<string, readonly string[]> }>();
  /** By part: since when none of its groups is needed, by the clock of the database */
  readonly #needless = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether a feed of groups is one of those that count */
  counts(feed: string): boolean {
    return this.#options.groups === 'all' ? feed === ALL_GROUPS : feed.startsWith(PART);
  }

  /** The feeds of a tenant as they are */
  async known(tenant: string): Promise<FeedState[]> {
    const { states } = await this.#options.store.sample();
    return states.filter(state => state.tenant === tenant && (isUsers(state) || this.counts(state.feed)));
  }

  /** The same after they were made, widened and removed as the groups that matter are */
  async feedsOf(tenant: string): Promise<FeedState[]> {
    const { store, groups } = this.#options;
    const { now, states } = await store.sample();
    const own = states.filter(state => state.tenant === tenant);
    const users = own.find(isUsers) ?? (await store.open({ tenant, feed: USERS }));
    for (const state of own)
      if (!isUsers(state) && !this.counts(state.feed) && lastAsked(state) < now - KEPT_MS) await store.remove(state);
    const feeds = own.filter(({ feed }) => feed !== USERS && this.counts(feed));
    if (groups === 'matter') return [users, ...(await this.#parts(tenant, feeds, now))];
    return [users, feeds[0] ?? (await store.open({ tenant, feed: ALL_GROUPS }))];
  }

  /** The groups of a tenant that access hangs on, as they are named, and then those in them; `undefined` while that is not known */
  async mattering(tenant: string): Promise<string[] | undefined> {
    const { store, wanted } = this.#options;
    const named = wanted();
    if (!named) return undefined;
    const feeds = (await this.known(tenant)).filter(state => !isUsers(state));
    const asked = new Set(named);
    const found: string[] = [];
    for (let level = [...named]; level.length > 0;) {
      const rows = (await Promise.all(feeds.map(feed => answered(findMembers(store.database, feed, level))))).flat();
      const there = new Map(rows.filter(({ removed }) => !removed).map(row => [row.id, row]));
      // Rules may name groups of another tenant.
      found.push(...level.filter(id => there.has(id)));
      level = [...new Set([...there.values()].flatMap(nestedIn))].filter(id => !asked.has(id));
      for (const id of level) asked.add(id);
    }
    return found;
  }

  async #parts(tenant: string, known: readonly FeedState[], now: number): Promise<FeedState[]> {
    const { store, wanted } = this.#options;
    const disjoint = await this.#disjoint(known);
    const direct = wanted();
    if (!direct) return disjoint;
    const needed = await this.#withNested(direct, disjoint);
    const parts = await this.#stillNeeded(disjoint, needed, now);
    const covered = new Set(parts.flatMap(({ scope }) => scope ?? []));
    let missing = [...needed].filter(id => !covered.has(id)).sort();
    // One that is followed must go on to be: only where nothing was loaded yet is there nothing to lose.
    for (let at = 0; at < parts.length && missing.length > 0; at += 1) {
      const { load, scope } = parts[at] as FeedState;
      const room = load === 0 ? MAX_FILTERED - (scope?.length ?? MAX_FILTERED) : 0;
      if (room <= 0) continue;
      parts[at] = await store.begin(parts[at] as FeedState, now, [...(scope ?? []), ...missing.splice(0, room)]);
    }
    const numbers = parts.map(numberOf);
    for (let number = Math.max(0, ...numbers) + 1; missing.length > 0; number += 1) {
      const part = await store.open({ tenant, feed: `${PART}${number}` }, missing.slice(0, MAX_FILTERED));
      // Another writer may have made it meanwhile, for other groups; what it has must not be in the next one, too.
      const has = new Set(part.scope ?? []);
      missing = missing.filter(id => !has.has(id));
      parts.push(part);
    }
    // Where nothing hangs on any group, that is known, too.
    if (parts.length === 0) parts.push(await store.open({ tenant, feed: `${PART}1` }, []));
    return parts;
  }

  /**
   * Parts without those that share groups with others: one writer at a time makes none, and what two of them know counts as unknown.
   * Which one was asked last is kept; whatever only the removed one had is loaded anew
   */
  async #disjoint(known: readonly FeedState[]): Promise<FeedState[]> {
    const parts: FeedState[] = [];
    const seen = new Set<string>();
    for (const part of [...known].sort((a, b) => (b.completedAt ?? 0) - (a.completedAt ?? 0))) {
      const scope = part.scope ?? [];
      if (scope.some(id => seen.has(id))) {
        await this.#options.store.remove(part);
        continue;
      }
      for (const id of scope) seen.add(id);
      parts.push(part);
    }
    return parts.sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** Parts without those none of whose groups has been needed for a while */
  async #stillNeeded(known: readonly FeedState[], needed: ReadonlySet<string>, now: number): Promise<FeedState[]> {
    const parts: FeedState[] = [];
    for (const part of known) {
      const key = `${keyOf(part)} ${part.generation}`;
      const since = this.#needless.get(key) ?? now;
      if (part.scope?.some(id => needed.has(id)) ?? true) this.#needless.delete(key);
      else this.#needless.set(key, since);
      // The one that says that nothing hangs on any group is as good as another one.
      const last = known.length === 1 && part.scope?.length === 0;
      if (!this.#needless.has(key) || last || now - since < NEEDLESS_MS) {
        parts.push(part);
        continue;
      }
      await this.#options.store.remove(part);
      this.#needless.delete(key);
      this.#nested.delete(keyOf(part));
    }
    return parts;
  }

  /** Groups, and those in them at any depth, as far as that is known */
  async #withNested(direct: ReadonlySet<string>, parts: readonly FeedState[]): Promise<ReadonlySet<string>> {
    const inside = await Promise.all(parts.map(part => this.#nestedIn(part)));
    const found = new Set(direct);
    // What is added meanwhile has its turn.
    for (const id of found) for (const nested of inside) for (const child of nested.get(id) ?? []) found.add(child);
    return found;
  }

  /** By group of a part: the groups directly in it */
  async #nestedIn(part: FeedState): Promise<ReadonlyMap<string, readonly string[]>> {
    const key = keyOf(part);
    const version = `${part.generation} ${part.load} ${part.changed}`;
    const known = this.#nested.get(key);
    if (known?.version === version) return known.groups;
    const groups = new Map<string, readonly string[]>();
    const { database } = this.#options.store;
    for await (const rows of pagesOf<GroupRow>(last => readMembers(database, part, 0, last)))
      for (const row of rows) {
        const inside = row.removed ? [] : nestedIn(row);
        if (inside.length > 0) groups.set(row.id, inside);
      }
    this.#nested.set(key, { version, groups });
    return groups;
  }
}

function lastAsked({ completedAt, stagedSince }: FeedState): number {
  return Math.max(completedAt ?? 0, stagedSince ?? 0);
}

function numberOf({ feed }: FeedState): number {
  return Number(feed.slice(PART.length));
}
