import { randomUUID } from 'node:crypto';
import type { DatabaseService, LifecycleService, LoggerService, SchedulerService } from '@backstage/backend-plugin-api';
import type { EventsService } from '@backstage/plugin-events-node';
import type { EntraAccess } from '../service/entraAccess';
import { within } from '../service/within';
import { FeedStore } from './feedStore';
import { Hints } from './hints';
import { Notifications, type NotificationCounts } from './notifications';
import { Subscriber } from './subscriber';
import { SubscriptionStore } from './subscriptionStore';
import { Overdue } from './overdue';
import { FORMAT, isFollowed, isReadable, isUsers, type FeedState } from './feeds';
import { Replica } from './replica';
import { Scopes } from './scopes';
import type { FollowSettings } from './settings';
import { RUN_MS, Writer } from './writer';

/** Told to every replica when rows were written; it carries the tenant, and whoever misses it finds out by itself */
export const FOLLOWED = 'entra-access.followed';
/** How long the writer waits until an event is published */
const PUBLISH_MS = 2_000;
/** How often each replica looks for what was written */
const POLL_MS = 2_000;
/**
 * After so long a task that is due has begun (Backstage's scheduler looks every five seconds), Graph has answered, and replicas have looked;
 * if it has not, they have asked themselves ({@link Overdue})
 */
const LATE_SECONDS = 14;
/** Graph is asked no more often */
const LEAST_SECONDS = 2;
/**
 * Backstage gives the task of a writer that was killed to another one so much later, and up to a minute ({@link Overdue}). Longer than a run
 * and the page that is under way at its end
 */
const TIMEOUT_SECONDS = Math.ceil(RUN_MS / 1000) + 45;

/** Of a feed in a form that is not known here */
const NEWER = 'its rows are of a later version of entra-access: they are neither read nor written; update this replica';

/** What the status route shows of a tenant that is followed */
export interface FollowState {
  tenant: string;
  /** Whether users and groups have been loaded, so that they count */
  complete: boolean;
  /** Seconds since all of it was what Graph had; `null` before that */
  ageSeconds: number | null;
  /** Seconds for which this replica has not had what the database has */
  lagSeconds: number;
  feeds: Array<{
    feed: string;
    state: 'loading' | 'following' | 'held';
    revision: number;
    /** Of the load under way */
    pages?: number;
    error?: string;
  }>;
  error?: string;
  /** Change notifications, where they are asked for */
  notifications?: NotificationCounts & { error?: string };
}

interface Options {
  entraAccess: EntraAccess;
  settings: FollowSettings;
  database: Awaited<ReturnType<DatabaseService['getClient']>>;
  /** Object ids of the groups that access hangs on, the most important ones first; `undefined` while that is not known */
  wanted: () => ReadonlySet<string> | undefined;
  scheduler: SchedulerService;
  events: EventsService;
  lifecycle: LifecycleService;
  logger: LoggerService;
}

/** Follows Microsoft Graph: one replica asks and writes, all of them read */
export class Following {
  readonly #options: Options;
  readonly #replica: Replica;
  readonly #writer: Writer;
  readonly #tenants: readonly string[];
  /** By tenant */
  readonly #hints: ReadonlyMap<string, Hints>;
  /** By tenant */
  readonly #overdue: ReadonlyMap<string, Overdue>;
  readonly #subscriber?: Subscriber;
  readonly #notifications?: Notifications;
  /** Ends the questions that hints have brought about */
  readonly #stopping = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    const { database, entraAccess, events, logger, settings, wanted } = options;
    const store = new FeedStore(database);
    const tenants = entraAccess.graphClients;
    this.#tenants = tenants.map(({ graph }) => graph.tenantId);
    this.#hints = new Map(this.#tenants.map(tenant => [tenant, new Hints(() => this.#askNow(tenant))]));
    this.#overdue = new Map(
      this.#tenants.map(tenant => [tenant, new Overdue(settings.pollSeconds * 1000, () => this.#askNow(tenant))]),
    );
    const scopes = new Scopes({ store, groups: settings.groups, wanted });
    this.#replica = new Replica({
      store,
      core: entraAccess.core,
      epoch: entraAccess.directory,
      tenants: this.#tenants,
      counts: feed => scopes.counts(feed),
      logger,
    });
    this.#writer = new Writer({
      store,
      tenants,
      scopes,
      maxRemovedShare: settings.maxRemovedShare,
      logger,
      changed: async tenant => {
        // An events backend that hangs must not keep the writer: replicas find out by themselves.
        const told = events.publish({ topic: FOLLOWED, eventPayload: { tenant } });
        await within(PUBLISH_MS, told).catch(() => undefined);
      },
    });
    const url = settings.notificationUrl;
    if (url === undefined) return;
    const subscriptions = new SubscriptionStore(database);
    this.#notifications = new Notifications(subscriptions, tenant => this.#hints.get(tenant)?.note(), logger);
    const groups = (tenant: string) => scopes.mattering(tenant);
    this.#subscriber = new Subscriber({ store: subscriptions, url, tenants, groups, logger });
  }

  /** What answers change notifications, where they are asked for */
  get notifications(): Notifications | undefined {
    return this.#notifications;
  }

  /** Takes in what was written; never fails */
  catchUp(): Promise<void> {
    return this.#replica.poll();
  }

  /** Out of turn, by whichever replica was told: should two ask at once, one of them writes */
  async #askNow(tenant: string): Promise<void> {
    await this.#writer.run(this.#stopping.signal, 'changes', tenant);
    await this.#replica.poll();
  }

  /** Takes in what was written, and asks itself where nobody else does. Never fails */
  async #look(): Promise<void> {
    await this.#replica.poll();
    for (const [tenant, overdue] of this.#overdue) overdue.look(this.#replica.followedAgeOf(tenant));
  }

  /** Begins; what is in the database counts before this returns */
  async start(): Promise<void> {
    const { scheduler, events, lifecycle, settings } = this.#options;
    await this.#replica.poll();
    await events.subscribe({
      // One of its own for each replica: subscribers of one id share their events.
      id: `followed-${randomUUID()}`,
      topics: [FOLLOWED],
      onEvent: () => this.#replica.poll(),
    });
    const poll = setInterval(() => void this.#look(), POLL_MS);
    poll.unref();
    lifecycle.addShutdownHook(() => {
      clearInterval(poll);
      for (const hints of this.#hints.values()) hints.close();
      this.#stopping.abort();
    });
    await scheduler.scheduleTask({
      id: 'follow-entra',
      scope: 'global',
      frequency: { seconds: Math.max(LEAST_SECONDS, settings.pollSeconds - LATE_SECONDS) },
      timeout: { seconds: TIMEOUT_SECONDS },
      fn: async signal => {
        await this.#writer.run(signal);
        await this.#subscriber?.run(signal);
      },
    });
  }

  /** How it goes, for each tenant */
  get states(): FollowState[] {
    return this.#tenants.map(tenant => {
      const feeds = this.#replica.feedsOf(tenant);
      const age = this.#replica.ageOf(tenant);
      const error = this.#replica.error;
      return {
        tenant,
        complete: feeds.some(isUsers) && feeds.some(feed => !isUsers(feed)) && feeds.every(isReadable),
        ageSeconds: age === undefined ? null : Math.round(age / 1000),
        lagSeconds: Math.round(this.#replica.lagOf(tenant) / 1000),
        feeds: feeds.map(feedState),
        ...(error === undefined ? {} : { error }),
        ...this.#notified(tenant),
      };
    });
  }

  #notified(tenant: string): Pick<FollowState, 'notifications'> {
    if (!this.#notifications) return {};
    const error = this.#subscriber?.errorOf(tenant);
    return { notifications: { ...this.#notifications.counts, ...(error ? { error } : {}) } };
  }
}

function feedState(feed: FeedState): FollowState['feeds'][number] {
  const held = feed.format > FORMAT ? NEWER : feed.held;
  const why = held ?? feed.error;
  return {
    feed: feed.feed,
    state: held !== null ? 'held' : isFollowed(feed) ? 'following' : 'loading',
    revision: feed.revision,
    ...(feed.staged > 0 ? { pages: feed.stagedPages } : {}),
    ...(why ? { error: why } : {}),
  };
}
