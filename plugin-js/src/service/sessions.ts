import { createHash } from 'node:crypto';
import { ConflictError } from '@backstage/errors';
import { pipelineKey, turnClock, type EntraCore, type Principal, type PrincipalHandle } from '../core';
import { coded } from './coded';
import type { SessionNumbers } from './sessionStore';

/** Most sign-ins remembered at once; the oldest goes first, and comes back from the database where there is one */
const MAX_SESSIONS = 50_000;

interface Session {
  record: Principal;
  /** Seconds since the epoch */
  expiresAt: number;
  /** Number of the write to the database; 0 where there is none */
  revision: number;
  /** Number of the write since which the principal and its groups are as they are; 0 where there is none */
  since: number;
  /** Which instance of the core gave the handle */
  instance: number;
  handle?: PrincipalHandle;
  /** Grows whenever a handle is given, and never repeats, as handles do */
  sequence: number;
}

/**
 * Who stands behind a Backstage user entity ref: what the sign-in established, for as long as the Backstage token lives.
 *
 * A Backstage token says no more than the entity ref; groups, kind and agent come from here. A ref without a session is
 * nobody: its requests are denied.
 */
export class Sessions {
  readonly #core: EntraCore;
  readonly #clock: () => number;
  readonly #sessions = new Map<string, Session>();
  #sequence = 0;
  #changes = 0;

  constructor(core: EntraCore, clock: () => number = turnClock) {
    this.#core = core;
    this.#clock = clock;
  }

  /** Number of sign-ins remembered */
  get size(): number {
    return this.#sessions.size;
  }

  /** Grows with whatever changes about anybody: see {@link unchanged} */
  get changes(): number {
    return this.#changes;
  }

  /** Whether nothing has changed about anybody since, and a session that ends then has not ended */
  unchanged(changes: number, { expiresAt }: Pick<Session, 'expiresAt'>): boolean {
    return changes === this.#changes && expiresAt > this.#clock() / 1000;
  }

  /**
   * Makes sure that the ref is free for this principal.
   * @throws ConflictError when another principal is signed in under it: two people are never merged
   */
  claim(entityRef: string, record: Principal): void {
    const present = this.#live(entityRef);
    if (present && principalKey(present.record) !== principalKey(record)) throw conflict(entityRef);
  }

  /** Remembers a sign-in until `expiresAt` (seconds since the epoch); a newer one of the same principal replaces it */
  open(entityRef: string, record: Principal, expiresAt: number): PrincipalHandle | undefined {
    this.claim(entityRef, record);
    const until = sharedEnd(record, expiresAt, this.#live(entityRef)?.expiresAt);
    return this.#handle(entityRef, this.#remember(entityRef, record, until, { revision: 0, since: 0 }));
  }

  /** Remembers what the database holds, in the place of anything older; the core reads it when it is asked for */
  put(entityRef: string, record: Principal, expiresAt: number, numbers: SessionNumbers): void {
    const present = this.#live(entityRef);
    if (!present || present.revision < numbers.revision) this.#remember(entityRef, record, expiresAt, numbers);
  }

  /** Forgets everybody */
  clear(): void {
    for (const entityRef of [...this.#sessions.keys()]) this.#forget(entityRef);
  }

  /** What the sign-in under a ref established; `undefined` when nobody is signed in under it */
  record(entityRef: string): Principal | undefined {
    return this.#live(entityRef)?.record;
  }

  /** Completes a sign-in, if it is still the same one, with groups that were not known when it was opened */
  complete(entityRef: string, record: Principal, ids: readonly string[]): void {
    const session = this.#live(entityRef);
    if (session?.record !== record || record.groups.state !== 'unknown') return;
    const take = (handle?: PrincipalHandle) => handle !== undefined && this.#core.completeGroups(handle, ids);
    // The core may have given the handle up to make room.
    if (!take(this.find(entityRef)) && !take(this.renew(entityRef))) return;
    this.#changes += 1;
    session.record = { ...record, groups: { state: 'known', ids: [...ids] } };
    // Whoever has looked its owners up must look again.
    session.sequence = this.#sequence += 1;
  }

  /** The principal behind a ref; `undefined` when nobody is signed in under it */
  find(entityRef: string): PrincipalHandle | undefined {
    return this.current(entityRef)?.handle;
  }

  /** The same with the numbers of its session, and when it ends */
  current(entityRef: string): Readonly<Pick<Session, 'handle' | 'sequence' | 'since' | 'expiresAt'>> | undefined {
    const session = this.#live(entityRef);
    if (session && session.instance !== this.#core.instance) this.#handle(entityRef, session);
    return session;
  }

  /** The same after the core has given the handle up to make room */
  renew(entityRef: string): PrincipalHandle | undefined {
    const session = this.#live(entityRef);
    return session && this.#handle(entityRef, session);
  }

  #remember(entityRef: string, record: Principal, expiresAt: number, numbers: SessionNumbers): Session {
    this.#forget(entityRef);
    if (this.#sessions.size >= MAX_SESSIONS) this.#makeRoom();
    const session: Session = { record, expiresAt, ...numbers, instance: -1, sequence: 0 };
    this.#changes += 1;
    this.#sessions.set(entityRef, session);
    return session;
  }

  #live(entityRef: string): Session | undefined {
    const session = this.#sessions.get(entityRef);
    if (session && session.expiresAt <= this.#clock() / 1000) {
      this.#forget(entityRef);
      return undefined;
    }
    return session;
  }

  #handle(entityRef: string, session: Session): PrincipalHandle | undefined {
    this.#changes += 1;
    this.#release(session);
    session.handle = this.#core.admit(session.record, entityRef, session.expiresAt);
    session.instance = this.#core.instance;
    session.sequence = this.#sequence += 1;
    return session.handle;
  }

  #forget(entityRef: string): void {
    const session = this.#sessions.get(entityRef);
    if (!session) return;
    this.#changes += 1;
    this.#sessions.delete(entityRef);
    this.#release(session);
  }

  #release({ handle, instance }: Session): void {
    if (handle !== undefined && instance === this.#core.instance) this.#core.release(handle);
  }

  #makeRoom(): void {
    const now = this.#clock() / 1000;
    for (const [entityRef, session] of this.#sessions) if (session.expiresAt <= now) this.#forget(entityRef);
    // A Map keeps the order of insertion: the first is the oldest.
    for (const entityRef of this.#sessions.keys()) {
      if (this.#sessions.size < MAX_SESSIONS) break;
      this.#forget(entityRef);
    }
  }
}

/** Issuer, kind, tenant, object and agent: never a name or an address. v1.0 and v2.0 tokens are of one issuer here */
export function principalKey(principal: Principal): string {
  const { issuer, kind, tenantId, objectId, actor } = principal;
  // Of constant length: what an entry publishes may be long, and a column has an end.
  if (kind === 'pipeline') return `${issuer}/${createHash('sha256').update(pipelineKey(principal)).digest('hex')}`;
  return [issuer.replace(/^entra-v[12]:/, 'entra:'), kind, tenantId, objectId, actor?.clientId].join('/');
}

/**
 * Until when a session lasts that takes the place of one of the same principal. Jobs of a pipeline that run at once share theirs, so
 * it lasts for the one that lasts longest; each one's Backstage token says when it ends itself.
 */
export function sharedEnd({ kind }: Pick<Principal, 'kind'>, expiresAt: number, present = 0): number {
  return kind === 'pipeline' ? Math.max(expiresAt, present) : expiresAt;
}

/** Two people are never merged under one ref */
export function conflict(entityRef: string): Error {
  return coded(
    'principal_conflict',
    new ConflictError(`another principal is signed in as ${entityRef}; entity refs must be unique`),
  );
}
