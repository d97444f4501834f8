import type { LoggerService } from '@backstage/backend-plugin-api';
import type { DeltaPage } from '../graph/graphClient';
import { GraphError } from '../graph/graphError';
import { UnansweredError } from '../service/answered';
import { wrongWith } from './completeLoad';
import type { AccountChange, GroupChange } from './deltaPages';
import type { FeedStore } from './feedStore';
import { FORMAT, isFollowed, isUsers, keyOf, SupersededError, type FeedState } from './feeds';
import { eitherOf, endless, EndlessError, Pages, Time, type Pause } from './pages';
import { firstPage, isHopeless, read, type FollowedTenant } from './questions';
import { membersOfNew } from './restored';
import type { Scopes } from './scopes';
import { inTurns } from './turns';

/** How long one run goes on; the rest is done by the next, maybe of another replica. Well below the timeout of the task */
export const RUN_MS = 45_000;
/** Entries of a round that are written at once; what is more is written in parts */
const ROUND_ENTRIES = 200_000;
/** The same of groups, as it may be asked who is in them */
const ROUND_GROUPS = 1_000;
/** More pages than any tenant has, of a load or of a round: 5 million users at 100 a page */
const MAX_PAGES = 50_000;
/** After a load that was held, Graph is asked for another one so much later */
const HELD_MS = 10 * 60_000;
/** The link of a feed that nobody asks */
const NOWHERE = 'none';

/** Everything that there is to do, or only what has changed of what is followed */
export type What = 'all' | 'changes';

interface Options {
  store: FeedStore;
  tenants: readonly FollowedTenant[];
  scopes: Pick<Scopes, 'feedsOf' | 'known'>;
  maxRemovedShare: number;
  logger: Pick<LoggerService, 'info' | 'warn' | 'error'>;
  /** Told when there is something new */
  changed: (tenant: string) => Promise<void>;
  runMs?: number;
  /** Waits that Graph asks for between pages; tests have no time */
  pause?: Pause;
  /** For tests */
  maxPages?: number;
}

/** One run; each counts what was new for itself, as two may be under way */
interface Run {
  what: What;
  time: Time;
  changes: number;
}

/**
 * Asks Microsoft Graph and writes down what it says: everything at first, page by page, then what has changed, round by round.
 *
 * One replica does it at a time. Should two, each write names the one before, and whoever is too late writes nothing. So what has
 * changed can be asked out of turn while a load is under way, which may take long.
 */
export class Writer {
  readonly #options: Options;
  readonly #said = new Map<string, string>();
  /** Feeds in which nothing is left any more of what a process before this one had to leave behind */
  readonly #purged = new Set<string>();
  /** By kind, and tenant where it is about one */
  readonly #running = new Map<string, Promise<void>>();
  /** By feed: the round under way */
  readonly #rounds = new Map<string, Promise<unknown>>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * A run, which ends soon after the signal comes; never rejected. One of the same kind under way is waited for first: it may have
   * asked too early
   * @param only the one tenant that is asked, instead of all
   * @returns whether something was new
   */
  async run(signal: AbortSignal, what: What = 'all', only?: string): Promise<boolean> {
    const key = `${what} ${only ?? ''}`;
    for (let before = this.#running.get(key); before; before = this.#running.get(key)) {
      await eitherOf(before, signal);
      if (signal.aborted) return false;
    }
    const run: Run = { what, time: new Time(this.#options.runMs ?? RUN_MS, signal), changes: 0 };
    const tenants = this.#options.tenants.filter(({ graph }) => only === undefined || graph.tenantId === only);
    const running = Promise.all(tenants.map(tenant => this.#tenant(tenant, run)))
      .then(() => undefined)
      .finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    await running;
    return run.changes > 0;
  }

  async #tenant(tenant: FollowedTenant, run: Run): Promise<void> {
    const { scopes } = this.#options;
    const { tenantId } = tenant.graph;
    try {
      if (run.what === 'changes') {
        const followed = (await scopes.known(tenantId)).filter(isFollowed);
        for (const feed of inTurns(followed, run.time)) await this.#feed(tenant, feed, run);
        return;
      }
      // Loading groups may show further ones that matter.
      for (let asked = new Set<string>(); !run.time.over;) {
        const feeds = await scopes.feedsOf(tenantId);
        const next = feeds.filter(feed => !asked.has(`${feed.feed} ${feed.scope}`));
        if (next.length === 0) return;
        for (const feed of inTurns(next, run.time)) {
          asked.add(`${feed.feed} ${feed.scope}`);
          await this.#feed(tenant, feed, run);
        }
      }
    } catch (error) {
      if (error instanceof SupersededError || run.time.signal.aborted) return;
      this.#say(tenantId, 'what Microsoft Graph says cannot be written down', reasonOf(error));
    }
  }

  async #feed(tenant: FollowedTenant, state: FeedState, run: Run): Promise<void> {
    if (run.time.over) return;
    const name = `${state.feed} of tenant ${state.tenant}`;
    const all = run.what === 'all';
    try {
      if (all && !this.#purged.has(name)) await this.#options.store.purge(state);
      if (all) this.#purged.add(name);
      if (state.scope?.length === 0) await this.#nothing(state);
      else {
        const { signal } = run.time;
        const left = isFollowed(state)
          ? await this.#inTurn(state, signal, now => this.#round(tenant, now, run))
          : state;
        if (left && all) await this.#load(tenant, left, run);
      }
      if (this.#said.delete(name)) this.#options.logger.info(`${name}: Microsoft Graph tells what has changed again`);
    } catch (error) {
      // The other one does it, or whoever comes next.
      if (error instanceof SupersededError || run.time.signal.aborted) return;
      const reason = reasonOf(error);
      this.#say(name, 'it stays as it was', reason);
      await this.#options.store.failed(state, reason).catch(() => undefined);
    }
  }

  /** One round of a feed at a time: whoever has waited for another one goes on from its end */
  async #inTurn<T>(
    state: FeedState,
    signal: AbortSignal,
    work: (state: FeedState) => Promise<T>,
  ): Promise<T | undefined> {
    const key = keyOf(state);
    const before = this.#rounds.get(key);
    const turn = (async () => {
      if (!before) return work(state);
      await eitherOf(
        before.catch(() => undefined),
        signal,
      );
      if (signal.aborted) return undefined;
      const now = await this.#options.store.find(state);
      return now && isFollowed(now) ? work(now) : undefined;
    })();
    this.#rounds.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#rounds.get(key) === turn) this.#rounds.delete(key);
    }
  }

  /** No group at all: there is nothing to ask */
  async #nothing(state: FeedState): Promise<void> {
    const { store } = this.#options;
    const now = await store.now();
    if (isFollowed(state)) await store.apply(state, [], NOWHERE, { begun: now, pages: 0, over: true });
    else await store.swap(await store.stage(await store.begin(state, now), [], NOWHERE, true));
  }

  /**
   * What has changed since the last round, as a whole.
   * @returns the feed, where everything has to be loaded anew
   */
  async #round(tenant: FollowedTenant, first: FeedState, run: Run): Promise<FeedState | undefined> {
    const { store, pause, maxPages = MAX_PAGES } = this.#options;
    let state = first;
    let link = first.link ?? '';
    let changes: Array<AccountChange | GroupChange> = [];
    // Before the first question, maybe of an earlier run: what the round tells is at least as new.
    const begun = first.roundSince ?? (await store.now());
    let count = first.roundPages;
    const pages = new Pages(tenant.client, run.time, pause);
    for (;;) {
      let page: DeltaPage;
      try {
        page = await pages.next(link);
        count += 1;
        if (!page.last && count > maxPages) throw endless(`what has changed has more than ${maxPages} pages`);
      } catch (error) {
        if (!isHopeless(error, link)) throw error;
        const why = error instanceof EndlessError ? error.message : 'Microsoft Graph no longer knows what has changed';
        const name = `${state.feed} of tenant ${state.tenant}`;
        this.#options.logger.warn(`${name}: ${why}; all of it is loaded anew`);
        return store.begin(state, await store.now());
      }
      changes.push(...read(state, page));
      link = page.link;
      const { over } = run.time;
      const most = isUsers(state) ? ROUND_ENTRIES : ROUND_GROUPS;
      if (!page.last && !over && changes.length < most) continue;
      const before = state.changed;
      changes = await this.#withNew(changes, state, { graph: tenant.graph, pages });
      state = await store.apply(state, changes as never, link, { begun, pages: count, over: page.last });
      changes = [];
      if (state.changed !== before) await this.#changed(state, run);
      if (page.last || over) return undefined;
    }
  }

  /** Everything, page by page beside what counts, and then in its place */
  async #load(tenant: FollowedTenant, first: FeedState, run: Run): Promise<void> {
    const { store, pause, maxPages = MAX_PAGES } = this.#options;
    let state = first;
    // One of a version before may be whole without saying so.
    if (state.staged === 0 || state.format < FORMAT) {
      const now = await store.now();
      if (state.held !== null && now - (state.stagedSince ?? 0) < HELD_MS) return;
      state = await store.begin(state, now);
    }
    const pages = new Pages(tenant.client, run.time, pause);
    try {
      for (;;) {
        // Where all pages were there already, what has changed since.
        const isWhole = state.link !== null;
        const page = await pages.next(linkOf(state) ?? firstPage(tenant.graph, state));
        let changes = read(state, page);
        const staged = { ...state, load: state.staged };
        if (isWhole) changes = await this.#withNew(changes, staged, { graph: tenant.graph, pages });
        state = await store.stage(state, changes as never, page.link, isWhole || page.last);
        if (page.last) break;
        if (state.stagedPages > maxPages) throw endless(`it has more than ${maxPages} pages`);
        if (run.time.over) return;
      }
    } catch (error) {
      // From the start, then: what is left of it leads nowhere.
      if (isHopeless(error, linkOf(state))) await store.purge(await store.discard(state, null));
      throw error;
    }
    await this.#finish(tenant, state, run);
  }

  /** Changes with what is to be told of groups that are not known; users are told of as a whole */
  async #withNew(
    changes: Array<AccountChange | GroupChange>,
    state: FeedState,
    asked: Omit<Parameters<typeof membersOfNew>[2], 'database'>,
  ): Promise<Array<AccountChange | GroupChange>> {
    if (isUsers(state)) return changes;
    const { database } = this.#options.store;
    // First: it may be older than what has changed, whose word is the last one.
    return [...(await membersOfNew(changes as GroupChange[], state, { ...asked, database })), ...changes];
  }

  async #finish(tenant: FollowedTenant, state: FeedState, run: Run): Promise<void> {
    const { store, logger, maxRemovedShare } = this.#options;
    const wrong = await wrongWith(state, { store, tenant, maxRemovedShare, signal: run.time.signal });
    const name = `${state.feed} of tenant ${state.tenant}`;
    if (wrong !== undefined) {
      const held = `a full load is not taken: ${wrong}; if it is right, raise \`entraAccess.groups.graph.directory.maxRemovedShare\``;
      logger.error(`${name}: ${held}`);
      await store.purge(await store.discard(state, held));
      return;
    }
    const swapped = await store.swap(state);
    logger.info(`${name}: all of it is loaded, in ${state.stagedPages} pages`);
    await this.#changed(state, run);
    await store.purge(swapped);
  }

  async #changed({ tenant }: FeedState, run: Run): Promise<void> {
    run.changes += 1;
    await this.#options.changed(tenant);
  }

  #say(what: string, consequence: string, reason: string): void {
    if (this.#said.get(what) === reason) return;
    this.#said.set(what, reason);
    this.#options.logger.warn(`${what}: ${reason}; ${consequence}`);
  }
}

/** Where to go on with a load; `null` where it is to begin */
const linkOf = ({ link, stagedLink }: FeedState) => link ?? stagedLink;

/** Without what a database driver says, which quotes rows */
function reasonOf(error: unknown): string {
  const isSaid = error instanceof GraphError || error instanceof UnansweredError;
  return (isSaid ? error : new UnansweredError(error)).message;
}
