import type { LoggerService } from '@backstage/backend-plugin-api';
import { groupsDelta, usersDelta, type GraphTenant } from '../graph/addresses';
import type { DeltaPage, GraphClient } from '../graph/graphClient';
import { GraphError } from '../graph/graphError';
import { databaseReason } from '../service/sessionStoreAccess';
import { readGroups, readUsers, type AccountChange, type GroupChange } from './deltaPages';
import type { FeedStore } from './feedStore';
import { isUsers, SupersededError, type FeedState } from './feeds';
import type { Scopes } from './scopes';

/** How long one run goes on; the rest is done by the next, maybe of another replica. Well below the timeout of the task */
export const RUN_MS = 45_000;
/** Entries of a round that are written at once; what is more is written in parts */
const ROUND_ENTRIES = 200_000;
/** More pages than any tenant has: 5 million users at 100 a page */
const MAX_STAGED_PAGES = 50_000;
/** After a load that was held, Graph is asked for another one so much later */
const HELD_MS = 10 * 60_000;
/** The link of a feed that nobody asks */
const NOWHERE = 'none';
/** From this share of what Graph grants on, requests are spread */
const PRESSURE = 0.8;

/** Whom to ask about a tenant */
export interface FollowedTenant {
  graph: GraphTenant;
  client: Pick<GraphClient, 'delta' | 'ask'>;
}

interface Options {
  store: FeedStore;
  tenants: readonly FollowedTenant[];
  scopes: Pick<Scopes, 'feedsOf'>;
  maxRemovedShare: number;
  logger: Pick<LoggerService, 'info' | 'warn' | 'error'>;
  /** Told when there is something new */
  changed: (tenant: string) => Promise<void>;
  runMs?: number;
  /** Waits that Graph asks for between pages; tests have no time */
  pause?: (ms: number) => Promise<void>;
}

/**
 * Asks Microsoft Graph and writes down what it says: everything at first, page by page, then what has changed, round by round.
 *
 * One replica does it at a time. Should two, each write names the one before, and whoever is too late writes nothing.
 */
export class Writer {
  readonly #options: Options;
  readonly #said = new Map<string, string>();
  /** Feeds in which nothing is left any more of what a process before this one had to leave behind */
  readonly #purged = new Set<string>();
  #running?: Promise<void>;
  #changes = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * A run; never rejected. One under way is waited for first: it may have asked too early
   * @returns whether something was new
   */
  async run(signal: AbortSignal, what: 'all' | 'changes' = 'all'): Promise<boolean> {
    while (this.#running) await this.#running;
    const before = this.#changes;
    const time = new Time(this.#options.runMs ?? RUN_MS, signal);
    this.#running = Promise.all(this.#options.tenants.map(tenant => this.#tenant(tenant, time, what)))
      .then(() => undefined)
      .finally(() => (this.#running = undefined));
    await this.#running;
    return this.#changes > before;
  }

  async #tenant(tenant: FollowedTenant, time: Time, what: 'all' | 'changes'): Promise<void> {
    const { scopes } = this.#options;
    try {
      // Loading groups may show further ones that matter.
      for (let asked = new Set<string>(); !time.over;) {
        const feeds = await scopes.feedsOf(tenant.graph.tenantId);
        // What has changed is a page, and a load may be many.
        const order = [...feeds.filter(isFollowed), ...feeds.filter(feed => !isFollowed(feed))];
        const next = order.filter(feed => !asked.has(`${feed.feed} ${feed.scope}`));
        if (next.length === 0) return;
        for (const feed of next) {
          asked.add(`${feed.feed} ${feed.scope}`);
          if (time.over || (what === 'changes' && !isFollowed(feed))) continue;
          await this.#feed(tenant, feed, time);
        }
      }
    } catch (error) {
      if (error instanceof SupersededError) return;
      this.#say(tenant.graph.tenantId, 'what Microsoft Graph says cannot be written down', reasonOf(error));
    }
  }

  async #feed(tenant: FollowedTenant, state: FeedState, time: Time): Promise<void> {
    const name = `${state.feed} of tenant ${state.tenant}`;
    try {
      if (!this.#purged.has(name)) await this.#options.store.purge(state);
      this.#purged.add(name);
      if (state.scope?.length === 0) await this.#nothing(state);
      else if (isFollowed(state)) await this.#round(tenant, state, time);
      else await this.#load(tenant, state, time);
      if (this.#said.delete(name)) this.#options.logger.info(`${name}: Microsoft Graph tells what has changed again`);
    } catch (error) {
      // The other one does it.
      if (error instanceof SupersededError) return;
      const reason = reasonOf(error);
      this.#say(name, 'it stays as it was', reason);
      await this.#options.store.failed(state, reason).catch(() => undefined);
    }
  }

  /** No group at all: there is nothing to ask */
  async #nothing(state: FeedState): Promise<void> {
    const { store } = this.#options;
    const now = await store.now();
    if (isFollowed(state)) await store.apply(state, [], NOWHERE, now);
    else await store.swap(await store.stage(await store.begin(state, now), [], NOWHERE));
  }

  /** What has changed since the last round, as a whole */
  async #round(tenant: FollowedTenant, first: FeedState, time: Time): Promise<void> {
    const { store } = this.#options;
    let state = first;
    let link = first.link ?? '';
    let changes: Array<AccountChange | GroupChange> = [];
    // Before the first question: what it tells is at least as new.
    const begun = await store.now();
    const pages = new Pages(tenant, time, this.#options.pause);
    for (;;) {
      let page: DeltaPage;
      try {
        page = await pages.next(link);
      } catch (error) {
        if (!(error instanceof GraphError && error.isTooOld)) throw error;
        const name = `${state.feed} of tenant ${state.tenant}`;
        this.#options.logger.warn(
          `${name}: Microsoft Graph no longer knows what has changed; all of it is loaded anew`,
        );
        return this.#load(tenant, await store.begin(state, begun), time);
      }
      changes.push(...read(state, page));
      link = page.link;
      const over = time.over;
      if (!page.last && !over && changes.length < ROUND_ENTRIES) continue;
      const before = state.changed;
      state = await store.apply(state, changes as never, link, page.last ? begun : null);
      changes = [];
      if (state.changed !== before) await this.#changed(state);
      if (page.last || over) return;
    }
  }

  /** Everything, page by page beside what counts, and then in its place */
  async #load(tenant: FollowedTenant, first: FeedState, time: Time): Promise<void> {
    const { store } = this.#options;
    let state = first;
    if (state.staged === 0) {
      const now = await store.now();
      if (state.held !== null && now - (state.stagedSince ?? 0) < HELD_MS) return;
      state = await store.begin(state, now);
    }
    const pages = new Pages(tenant, time, this.#options.pause);
    try {
      for (;;) {
        const page = await pages.next(state.stagedLink ?? firstPage(tenant.graph, state));
        state = await store.stage(state, read(state, page) as never, page.link);
        if (page.last) break;
        if (state.stagedPages > MAX_STAGED_PAGES) throw endless(`it has more than ${MAX_STAGED_PAGES} pages`);
        if (time.over) return;
      }
    } catch (error) {
      // From the start, then: what is left of it leads nowhere.
      const hopeless = error instanceof GraphError && (error.isTooOld || error instanceof EndlessError);
      if (hopeless) await store.purge(await store.discard(state, null));
      throw error;
    }
    await this.#finish(state);
  }

  async #finish(state: FeedState): Promise<void> {
    const { store, logger, maxRemovedShare } = this.#options;
    const { total, common, empty } = await store.common(state);
    const removed = total === 0 ? 0 : 1 - common / total;
    const mistaken = empty && state.load === 0 && state.scope === null && maxRemovedShare < 1;
    const name = `${state.feed} of tenant ${state.tenant}`;
    if (mistaken || removed > maxRemovedShare) {
      const share = `${Math.round(removed * 100)} % of ${total}`;
      const what = mistaken ? 'Microsoft Graph knows nobody' : `it lacks ${share}`;
      const held = `a full load is not taken: ${what}; if it is right, raise \`entraAccess.groups.directory.maxRemovedShare\``;
      logger.error(`${name}: ${held}`);
      await store.purge(await store.discard(state, held));
      return;
    }
    const swapped = await store.swap(state);
    logger.info(`${name}: all of it is loaded, in ${state.stagedPages} pages`);
    await this.#changed(state);
    await store.purge(swapped);
  }

  async #changed({ tenant }: FeedState): Promise<void> {
    this.#changes += 1;
    await this.#options.changed(tenant);
  }

  #say(what: string, consequence: string, reason: string): void {
    if (this.#said.get(what) === reason) return;
    this.#said.set(what, reason);
    this.#options.logger.warn(`${what}: ${reason}; ${consequence}`);
  }
}

/** What is left of the time of a run */
class Time {
  readonly #end: number;
  readonly #signal: AbortSignal;

  constructor(ms: number, signal: AbortSignal) {
    this.#end = performance.now() + ms;
    this.#signal = signal;
  }

  get over(): boolean {
    return this.#signal.aborted || performance.now() >= this.#end;
  }
}

/** A list without an end */
class EndlessError extends GraphError {}

function endless(what: string): EndlessError {
  return new EndlessError(`the answer of Microsoft Graph is refused: ${what}`, { scope: 'tenant' });
}

/** Pages one after the other, each once, and slower when Graph has enough */
class Pages {
  readonly #tenant: FollowedTenant;
  readonly #time: Time;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #seen = new Set<string>();
  #pressure = 0;

  constructor(
    tenant: FollowedTenant,
    time: Time,
    pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms)),
  ) {
    this.#tenant = tenant;
    this.#time = time;
    this.#pause = pause;
  }

  async next(address: string | URL): Promise<DeltaPage> {
    const link = String(address);
    if (this.#seen.has(link)) throw endless('it names a page twice');
    this.#seen.add(link);
    if (this.#pressure >= PRESSURE && !this.#time.over) await this.#pause(Math.min(5_000, this.#pressure * 1_000));
    const page = await this.#tenant.client.delta(address);
    this.#pressure = page.pressure;
    return page;
  }
}

/** Whether it is asked what has changed; otherwise everything is being loaded */
function isFollowed({ load, link, staged }: FeedState): boolean {
  return load > 0 && link !== null && staged === 0;
}

function firstPage(graph: GraphTenant, state: FeedState): URL {
  return isUsers(state) ? usersDelta(graph) : groupsDelta(graph, state.scope);
}

function read(state: FeedState, { json }: DeltaPage): Array<AccountChange | GroupChange> {
  return isUsers(state) ? readUsers(json) : readGroups(json);
}

/** What a database driver says quotes rows */
function reasonOf(error: unknown): string {
  if (error instanceof GraphError || (error instanceof Error && /^the database of /.test(error.message)))
    return error.message;
  return `the database of entra-access does not answer (${databaseReason(error)})`;
}
