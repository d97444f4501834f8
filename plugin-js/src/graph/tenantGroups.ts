import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Principal } from '../core';
import type { GraphTenant, ObjectKind } from './addresses';
import type { GraphCredential } from './credential';
import { GraphClient } from './graphClient';
import { GraphError } from './graphError';
import { MAX_FLIGHTS, type GraphLimits } from './limits';
import { ResolutionCache, type Resolution } from './resolutionCache';
import { TenantHealth } from './tenantHealth';

/** The identity of a principal, as far as its groups go */
export type Subject = Pick<Principal, 'kind' | 'tenantId' | 'objectId'>;

/**
 * What kind of object a principal may be. An agent acts for a person, has a user account of its own, or calls for itself;
 * object ids are unique in a tenant, so the second question is asked only when there is no such user.
 */
const OBJECT_KINDS: Record<Principal['kind'], readonly ObjectKind[]> = {
  user: ['users'],
  workload: ['servicePrincipals'],
  agent: ['users', 'servicePrincipals'],
  pipeline: [],
};

const CONSEQUENCE = 'groups that are not in the token are unknown until then, and rules that need them do not allow';

/**
 * The groups of one tenant's principals: each asked for once however many wait for it, remembered for a while, and nobody
 * asked for while Graph is known to be away.
 */
export class TenantGroups {
  readonly graph: GraphTenant;
  readonly client: GraphClient;
  readonly health: TenantHealth;
  readonly #limits: GraphLimits;
  readonly #kept = new ResolutionCache();
  readonly #flights = new Map<string, Promise<Resolution>>();
  /** Outages in a row */
  #outages = 0;
  #askAgainAt = 0;
  #outage = '';

  constructor(
    graph: GraphTenant,
    credential: GraphCredential,
    logger: Pick<LoggerService, 'info' | 'warn'>,
    limits: GraphLimits,
  ) {
    this.graph = graph;
    this.client = new GraphClient(graph, credential, limits);
    this.health = new TenantHealth(graph.tenantId, logger);
    this.#limits = limits;
  }

  /** The groups of a principal; never rejected */
  resolve(subject: Subject): Promise<Resolution> {
    const key = keyOf(subject);
    const now = Date.now();
    const flight = this.#flights.get(key);
    if (flight) return flight;
    const known = this.#kept.find(key, now) ?? this.#refusal(now);
    if (known) return Promise.resolve(known);
    const started = this.#resolve(subject).finally(() => this.#flights.delete(key));
    this.#flights.set(key, started);
    return started;
  }

  /** Why the groups of a principal are not known, as far as Graph was asked */
  reasonFor(subject: Subject): string | undefined {
    const kept = this.#kept.find(keyOf(subject), Date.now());
    return kept && !kept.ok ? kept.reason : this.#outages > 0 ? this.#outage : undefined;
  }

  /** After an outage one question goes ahead, and everybody else waits for what comes of it */
  #refusal(now: number): Resolution | undefined {
    const closed = this.#outages > 0 && (now < this.#askAgainAt || this.#flights.size > 0);
    if (closed) return { ok: false, reason: this.#outage };
    if (this.#flights.size < MAX_FLIGHTS) return undefined;
    return { ok: false, reason: 'too many principals are asked for at once; the next request asks again' };
  }

  async #resolve(subject: Subject): Promise<Resolution> {
    let reason = 'Microsoft Graph knows nothing of this kind of principal';
    for (const objects of OBJECT_KINDS[subject.kind]) {
      try {
        const ids = await this.client.groupsOf(objects, subject.objectId);
        return this.#succeeded(objects, subject, ids);
      } catch (error) {
        reason = this.#failed(objects, error);
        if (!(error instanceof GraphError) || error.scope === 'tenant') return { ok: false, reason };
        if (error.status !== 404) break;
      }
    }
    const refusal: Resolution = { ok: false, reason };
    this.#kept.keep(keyOf(subject), refusal, Date.now() + this.#limits.refusalKeptMs);
    return refusal;
  }

  #succeeded(objects: ObjectKind, subject: Subject, ids: readonly string[]): Resolution {
    const now = Date.now();
    const resolution: Resolution = { ok: true, ids };
    this.#kept.keep(keyOf(subject), resolution, now + this.#limits.keptMs);
    this.#outages = 0;
    this.health.succeeded(objects, now);
    return resolution;
  }

  #failed(objects: ObjectKind, error: unknown): string {
    const reason = error instanceof GraphError ? error.message : 'asking Microsoft Graph failed';
    const about = error instanceof GraphError ? error : { scope: 'tenant', status: undefined };
    if (about.scope === 'tenant') {
      this.#outage = reason;
      this.#close();
    } else {
      // It answers, whatever it says.
      this.#outages = 0;
    }
    if (about.scope === 'tenant' || about.status === 403) this.health.failed(objects, reason, CONSEQUENCE);
    return reason;
  }

  /** Those who were on their way when Graph went away are one outage, not many */
  #close(): void {
    const now = Date.now();
    if (now >= this.#askAgainAt) {
      const { min, max } = this.#limits.outageMs;
      this.#askAgainAt = now + Math.min(max, min * 2 ** this.#outages) * (0.75 + Math.random() / 4);
      this.#outages = Math.min(this.#outages + 1, 16);
    }
    this.#askAgainAt = Math.max(this.#askAgainAt, this.client.silentUntil);
  }
}

/** The tenant is the same for all. What a person's id is answered never answers for an application of that id */
function keyOf({ kind, objectId }: Subject): string {
  return `${kind}/${objectId}`;
}
