import type { LoggerService } from '@backstage/backend-plugin-api';
import { ServiceUnavailableError } from '@backstage/errors';
import { turnClock, type EntraCore, type Principal } from '../core';
import { coded } from './coded';
import { isPipelineRef } from './pipelineLife';
import { SessionStoreAccess, sessionsUnavailable, type StoreState } from './sessionStoreAccess';
import type { SessionStore, StoredSession } from './sessionStore';
import type { SingleUse } from './usedTokens';
import { conflict, principalKey, Sessions } from './sessions';

/** How often each replica looks for newer sign-ins of others */
const POLL_MS = 2_000;
/** Sessions read at once */
const PAGE = 500;
/** For how long a ref without a session is not looked for again; a sign-in on another replica ends it within a poll */
const ABSENT_MS = 3_000;
/**
 * For so many seconds after its end a sign-in is still ours: a token that was verified before may be waiting for groups, or for the
 * database, and what is denied to its user must not become another policy's affair meanwhile
 */
export const STILL_OURS_SECONDS = 60;
/** Most refs remembered as absent, and most looked for at once */
const MAX_ABSENT = 10_000;
const MAX_LOADING = 1_000;

/** No ref has any, and PostgreSQL takes a zero for an error of its own: tokens that are made up may name one */
const UNSTORABLE = /\p{Cc}/u;

/** What the entity ref of a person, an application or a pipeline looks like; nothing else has a session */
export const SESSION_REF = /^(?:user|pipeline):[^/\s]{1,63}\/[^/\s]{1,63}$/;

const LOOKED = Promise.resolve(true);
const NOT_LOOKED = Promise.resolve(false);

/** What a session has to be, so that it need not be looked for */
export interface Wanted {
  /** Lives until then at least, in seconds since the epoch: a token that lives longer was issued with a newer sign-in */
  until?: number;
  /** Is as it is since the write of this number or a later one */
  session?: number;
}

interface Options {
  core: EntraCore;
  logger: LoggerService;
  /** Whether a database will be attached: sign-ins before that wait for it */
  storeExpected?: boolean;
  /** For tests */
  clock?: () => number;
  waitMs?: number;
}

/**
 * Sessions that outlive the process and are the same on every replica: memory is a cache of the plugin's database.
 *
 * A sign-in is written down before its token is handed out. What others have written comes in by number every two
 * seconds, and what is not in memory is looked for when it is needed. While the database is away, sessions in memory go on
 * until they expire, unknown ones are nobody, and nobody signs in.
 */
export class SharedSessions extends Sessions {
  readonly #core: EntraCore;
  readonly #logger: LoggerService;
  readonly #clock: () => number;
  readonly #access: SessionStoreAccess;
  readonly #loading = new Map<string, Promise<boolean>>();
  /** Until when, in milliseconds */
  readonly #absent = new Map<string, number>();
  readonly #unreadable = new Set<string>();
  #seen = 0;
  #poll?: NodeJS.Timeout;
  #closed = false;

  constructor({ core, logger, storeExpected = false, clock = turnClock, waitMs }: Options) {
    super(core, clock);
    this.#core = core;
    this.#logger = logger;
    this.#clock = clock;
    this.#access = new SessionStoreAccess({ logger, expected: storeExpected, clock, waitMs });
  }

  /** Where sessions are kept, and what is wrong with it */
  get store(): StoreState {
    return this.#access.state;
  }

  /** Begins to keep sessions in the database */
  async attach(store: SessionStore): Promise<void> {
    this.#seen = await store.revision();
    this.#access.attach(store);
    this.#schedulePoll();
  }

  /** Ends the polling */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#poll);
  }

  /**
   * Before a token is issued: makes sure that the ref is free for this principal, and that its session can be kept.
   * @throws ConflictError, or ServiceUnavailableError while the database is away
   */
  async prepare(entityRef: string, record: Principal): Promise<void> {
    const store = await this.#storeForSignIn();
    if (!store) return this.claim(entityRef, record);
    const present = await this.#access.ask(() => store.find(entityRef));
    if (present && this.#isLive(present) && present.principal !== principalKey(record)) throw conflict(entityRef);
  }

  /**
   * Remembers a sign-in until `expiresAt` (seconds since the epoch), on every replica; a newer one of the same principal
   * replaces it.
   * @throws ConflictError, or ServiceUnavailableError while the database is away: the token must not be handed out then
   */
  async establish(entityRef: string, principal: Principal, expiresAt: number): Promise<void> {
    const record = withoutAddress(principal);
    const store = await this.#storeForSignIn();
    if (!store) {
      this.open(entityRef, record, expiresAt);
      return;
    }
    const now = Math.floor(this.#clock() / 1000);
    const { expiresAt: until, ...numbers } = await this.#access.ask(() =>
      store.write(entityRef, record, expiresAt, now),
    );
    this.#absent.delete(entityRef);
    this.put(entityRef, record, until, numbers);
  }

  /**
   * Claims the one use of a token, before all other replicas; `false` where it was used before.
   * @throws ServiceUnavailableError without the database: nothing else can tell
   */
  async useOnce(use: SingleUse): Promise<boolean> {
    const store = await this.#storeForSignIn();
    if (store) return this.#access.ask(() => store.usedTokens.claim(use));
    throw coded(
      'sessions_unavailable',
      new ServiceUnavailableError(
        'single-use tokens need the database of the plugin entra-access, which is not installed',
      ),
    );
  }

  /**
   * Looks for a session that is not in memory, or is older than it has to be. Never fails: without an answer it stays as it
   * is, and `store` says why.
   * @returns `false` where it could not be looked for: the database or the core is away, or too many are looked for already
   */
  ensure(entityRef: string, { until = 0, session = 0 }: Wanted = {}): Promise<boolean> {
    if (!this.#access.expected || UNSTORABLE.test(entityRef)) return LOOKED;
    if (!this.#core.available) return NOT_LOOKED;
    const wanted = { until, session };
    if (this.#fits(entityRef, wanted)) return LOOKED;
    const loading = this.#loading.get(entityRef);
    if (loading) return loading;
    if ((this.#absent.get(entityRef) ?? 0) > this.#clock()) return LOOKED;
    if (this.#loading.size >= MAX_LOADING) return NOT_LOOKED;
    const load = this.#load(entityRef, wanted).finally(() => this.#loading.delete(entityRef));
    this.#loading.set(entityRef, load);
    return load;
  }

  /**
   * Why it is not known whether a session that is not in memory exists; `undefined` where it is known by then, or nobody keeps any.
   */
  async whyUnknown(entityRef: string): Promise<Error | undefined> {
    const away = sessionsUnavailable(this.store);
    if (away || !SESSION_REF.test(entityRef)) return away;
    return sessionsUnavailable(this.store, await this.ensure(entityRef));
  }

  /**
   * Whether for certain nobody is signed in under a ref. The database is asked anew: a token may be younger than what is
   * remembered. `false` also where it cannot be told, as without a database, right after a sign-in has ended, and for pipelines:
   * nobody else issues their refs.
   */
  async isNobody(entityRef: string): Promise<boolean> {
    const store = this.#access.attached;
    if (!store || !this.#access.worthAsking || isPipelineRef(entityRef) || this.record(entityRef) !== undefined)
      return false;
    try {
      const found = await this.#access.ask(() => store.find(entityRef));
      if (found) this.#admit(found);
      return found === undefined || found.expiresAt + STILL_OURS_SECONDS <= this.#clock() / 1000;
    } catch {
      // Said once, where it happened.
      return false;
    }
  }

  /** Takes in what was written since the last time */
  async poll(): Promise<void> {
    const store = this.#access.attached;
    if (!store) return;
    const latest = await this.#access.ask(() => store.revision());
    if (latest < this.#seen) {
      // A database from a backup: what is in memory may be of a future that did not happen.
      this.clear();
      this.#seen = latest;
    }
    while (this.#seen < latest) {
      const page = await this.#access.ask(() => store.since(this.#seen, PAGE));
      page.forEach(session => this.#admit(session));
      // Every write up to `latest` was committed before the page was read.
      this.#seen = page.length < PAGE ? latest : (page.at(-1)?.revision ?? latest);
    }
  }

  async #storeForSignIn(): Promise<SessionStore | undefined> {
    const store = await this.#access.whenAttached();
    if (store || !this.#access.expected) return store;
    throw coded(
      'sessions_unavailable',
      new ServiceUnavailableError('the database for sessions is not ready yet; try again in a few seconds'),
    );
  }

  async #load(entityRef: string, wanted: Required<Wanted>): Promise<boolean> {
    try {
      const store = await this.#access.whenAttached();
      if (!store || !this.#access.worthAsking) return false;
      const found = await this.#access.ask(() => store.find(entityRef));
      if (found) this.#admit(found);
    } catch {
      // Said once, where it happened.
      return false;
    }
    const session = this.current(entityRef);
    if (session && session.handle === undefined && this.#core.available) this.#refused(entityRef);
    // None, or none that is newer: it need not be looked for again for a while.
    if (!this.#fits(entityRef, wanted)) this.#isAbsent(entityRef);
    return true;
  }

  #fits(entityRef: string, wanted: Required<Wanted>): boolean {
    const found = this.current(entityRef);
    return found?.handle !== undefined && found.expiresAt >= wanted.until && found.since >= wanted.session;
  }

  #admit(session: StoredSession): void {
    const { entityRef, record, expiresAt } = session;
    this.#absent.delete(entityRef);
    // One that has ended, too, takes the place of an older one.
    this.put(entityRef, record as Principal, expiresAt, session);
    if (!this.#isLive(session)) this.#isAbsent(entityRef);
  }

  #isLive({ expiresAt }: StoredSession): boolean {
    return expiresAt > this.#clock() / 1000;
  }

  #isAbsent(entityRef: string): void {
    if (this.#absent.size >= MAX_ABSENT) this.#absent.clear();
    this.#absent.set(entityRef, this.#clock() + ABSENT_MS);
  }

  /** The core reads records strictly: one that it refuses signs nobody in */
  #refused(entityRef: string): void {
    this.#isAbsent(entityRef);
    if (this.#unreadable.has(entityRef) || this.#unreadable.size >= MAX_ABSENT) return;
    this.#unreadable.add(entityRef);
    this.#logger.warn(`the stored session of ${entityRef} is not one that this version writes; it is ignored`);
  }

  #schedulePoll(): void {
    if (this.#closed) return;
    this.#poll = setTimeout(() => {
      // A failure is a state, said once; the next round tries again.
      void this.poll()
        .catch(() => undefined)
        .finally(() => this.#schedulePoll());
    }, POLL_MS);
    this.#poll.unref();
  }
}

/** A display name may be an e-mail address, which has no business in a database */
function withoutAddress(record: Principal): Principal {
  return record.name?.includes('@') ? { ...record, name: null } : record;
}
