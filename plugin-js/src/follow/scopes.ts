import { MAX_FILTERED } from '../graph/limits';
import type { FeedStore } from './feedStore';
import { USERS, type FeedState } from './feeds';
import { findMembers, nestedIn, readMembers, type GroupRow } from './memberRows';

const ALL_GROUPS = 'groups';
const PART = 'groups/';

interface Options {
  store: FeedStore;
  groups: 'all' | 'matter';
  /** Object ids of the groups that access hangs on; `undefined` while that is not known */
  wanted: () => ReadonlySet<string> | undefined;
}

/** Which delta queries there are: of the users, and of all groups or of those that matter, 50 in each */
export class Scopes {
  readonly #options: Options;
  /** By feed: the groups inside its groups, as of a revision */
  readonly #nested = new Map<string, { changed: number; ids: ReadonlySet<string> }>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether a feed of groups is one of those that count */
  counts(feed: string): boolean {
    return this.#options.groups === 'all' ? feed === ALL_GROUPS : feed.startsWith(PART);
  }

  /** The feeds of a tenant as they are; made, widened and removed as the groups that matter are */
  async feedsOf(tenant: string): Promise<FeedState[]> {
    const { store, groups } = this.#options;
    const users = await store.open({ tenant, feed: USERS });
    await this.#removeOthers(tenant);
    if (groups === 'all') return [users, await store.open({ tenant, feed: ALL_GROUPS })];
    return [users, ...(await this.#parts(tenant))];
  }

  /** The groups that access hangs on, those that are named before those in them; none while that is not known */
  async mattering(tenant: string): Promise<string[]> {
    const { store, wanted } = this.#options;
    const { states } = await store.sample();
    const feeds = states.filter(({ tenant: of, feed }) => of === tenant && this.counts(feed));
    const found = new Set([...(wanted() ?? [])].sort());
    for (let level = [...found]; level.length > 0;) {
      const rows = (await Promise.all(feeds.map(feed => findMembers(store.database, feed, level)))).flat();
      level = rows.flatMap(row => (row.removed ? [] : nestedIn(row))).filter(id => !found.has(id));
      for (const id of level) found.add(id);
    }
    return [...found];
  }

  /** Those of another configuration, which nobody goes on asking for */
  async #removeOthers(tenant: string): Promise<void> {
    const { states } = await this.#options.store.sample();
    for (const state of states)
      if (state.tenant === tenant && state.feed !== USERS && !this.counts(state.feed))
        await this.#options.store.remove(state);
  }

  async #parts(tenant: string): Promise<FeedState[]> {
    const { store, wanted } = this.#options;
    const sample = await store.sample();
    const parts = sample.states.filter(state => state.tenant === tenant && state.feed.startsWith(PART));
    const direct = wanted();
    if (!direct) return parts;
    const needed = new Set(direct);
    for (const part of parts) for (const id of await this.#nestedIn(part)) needed.add(id);
    const covered = new Set(parts.flatMap(({ scope }) => scope ?? []));
    const missing = [...needed].filter(id => !covered.has(id)).sort();
    for (let part = 0; part < parts.length && missing.length > 0; part += 1) {
      const state = parts[part] as FeedState;
      const room = MAX_FILTERED - (state.scope?.length ?? MAX_FILTERED);
      if (room > 0)
        parts[part] = await store.begin(state, sample.now, [...(state.scope ?? []), ...missing.splice(0, room)]);
    }
    const numbers = parts.map(({ feed }) => Number(feed.slice(PART.length)));
    for (let number = Math.max(0, ...numbers) + 1; missing.length > 0; number += 1) {
      const scope = missing.splice(0, MAX_FILTERED);
      parts.push(await store.open({ tenant, feed: `${PART}${number}` }, scope));
    }
    // Where nothing hangs on any group, that is known, too.
    if (parts.length === 0) parts.push(await store.open({ tenant, feed: `${PART}1` }, []));
    return parts;
  }

  async #nestedIn(part: FeedState): Promise<ReadonlySet<string>> {
    const key = `${part.tenant}/${part.feed}`;
    const known = this.#nested.get(key);
    if (known?.changed === part.changed) return known.ids;
    const ids = new Set<string>();
    let last: GroupRow | undefined;
    for (;;) {
      const rows = await readMembers(this.#options.store.database, part, 0, last);
      last = rows.at(-1);
      if (!last) break;
      for (const row of rows) if (!row.removed) for (const id of nestedIn(row)) ids.add(id);
    }
    this.#nested.set(key, { changed: part.changed, ids });
    return ids;
  }
}
