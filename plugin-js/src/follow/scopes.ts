import { MAX_FILTERED } from '../graph/limits';
import type { FeedStore } from './feedStore';
import { isUsers, USERS, type FeedState } from './feeds';
import { findMembers, nestedIn, readMembers, type GroupRow } from './memberRows';

const ALL_GROUPS = 'groups';
const PART = 'groups/';
/** Feeds of the other setting go on to be kept for so long after they were asked last: replicas with both may run side by side */
const KEPT_MS = 24 * 3600_000;
/** Parts that may be there beyond the fewest that would do. Each costs a request at every poll, and joining some a load */
const SPARE_PARTS = 4;

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
  readonly #nested = new Map<string, { version: string; ids: ReadonlySet<string> }>();

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

  /** The groups that access hangs on, those that are named before those in them; none while that is not known */
  async mattering(tenant: string): Promise<string[]> {
    const { store, wanted } = this.#options;
    const feeds = (await this.known(tenant)).filter(state => !isUsers(state));
    const found = new Set([...(wanted() ?? [])].sort());
    for (let level = [...found]; level.length > 0;) {
      const rows = (await Promise.all(feeds.map(feed => findMembers(store.database, feed, level)))).flat();
      level = rows.flatMap(row => (row.removed ? [] : nestedIn(row))).filter(id => !found.has(id));
      for (const id of level) found.add(id);
    }
    return [...found];
  }

  async #parts(tenant: string, known: readonly FeedState[], now: number): Promise<FeedState[]> {
    const { store, wanted } = this.#options;
    const parts = await this.#withoutJoined(known);
    const direct = wanted();
    if (!direct) return parts;
    const needed = new Set(direct);
    for (const part of parts) for (const id of await this.#nestedIn(part)) needed.add(id);
    const covered = new Set(parts.flatMap(({ scope }) => scope ?? []));
    const missing = [...needed].filter(id => !covered.has(id)).sort();
    // One that is followed must go on to be: only where nothing was loaded yet is there nothing to lose.
    for (let at = 0; at < parts.length && missing.length > 0; at += 1) {
      const { load, scope } = parts[at] as FeedState;
      const room = load === 0 ? MAX_FILTERED - (scope?.length ?? MAX_FILTERED) : 0;
      if (room <= 0) continue;
      parts[at] = await store.begin(parts[at] as FeedState, now, [...(scope ?? []), ...missing.splice(0, room)]);
    }
    const numbers = parts.map(numberOf);
    for (let number = Math.max(0, ...numbers) + 1; missing.length > 0; number += 1) {
      const scope = missing.splice(0, MAX_FILTERED);
      if (missing.length === 0) scope.push(...joined(parts, MAX_FILTERED - scope.length));
      parts.push(await store.open({ tenant, feed: `${PART}${number}` }, scope));
    }
    // Where nothing hangs on any group, that is known, too.
    if (parts.length === 0) parts.push(await store.open({ tenant, feed: `${PART}1` }, []));
    return parts;
  }

  /** Removes parts all of whose groups are in later ones that were loaded */
  async #withoutJoined(known: readonly FeedState[]): Promise<FeedState[]> {
    const parts: FeedState[] = [];
    const later = new Set<string>();
    for (const part of [...known].sort((a, b) => numberOf(b) - numberOf(a))) {
      const scope = part.scope ?? [];
      if (scope.every(id => later.has(id)) && (scope.length > 0 || later.size > 0)) {
        await this.#options.store.remove(part);
        continue;
      }
      if (part.load > 0) for (const id of scope) later.add(id);
      parts.unshift(part);
    }
    return parts;
  }

  async #nestedIn(part: FeedState): Promise<ReadonlySet<string>> {
    const key = `${part.tenant}/${part.feed}`;
    const version = `${part.generation} ${part.load} ${part.changed}`;
    const known = this.#nested.get(key);
    if (known?.version === version) return known.ids;
    const ids = new Set<string>();
    let last: GroupRow | undefined;
    for (;;) {
      const rows = await readMembers(this.#options.store.database, part, 0, last);
      last = rows.at(-1);
      if (!last) break;
      for (const row of rows) if (!row.removed) for (const id of nestedIn(row)) ids.add(id);
    }
    this.#nested.set(key, { version, ids });
    return ids;
  }
}

/** Groups of small parts that are loaded together, where there are too many parts; as many as there is room for */
function joined(parts: readonly FeedState[], room: number): string[] {
  const sizes = parts.map(({ scope }) => scope?.length ?? 0);
  const fewest = Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / MAX_FILTERED);
  if (parts.length < fewest + SPARE_PARTS) return [];
  const ids = new Set<string>();
  for (const { scope } of [...parts].sort((a, b) => (a.scope?.length ?? 0) - (b.scope?.length ?? 0))) {
    const more = (scope ?? []).filter(id => !ids.has(id));
    if (ids.size + more.length > room) break;
    for (const id of more) ids.add(id);
  }
  return [...ids];
}

function lastAsked({ completedAt, stagedSince }: FeedState): number {
  return Math.max(completedAt ?? 0, stagedSince ?? 0);
}

function numberOf({ feed }: FeedState): number {
  return Number(feed.slice(PART.length));
}
