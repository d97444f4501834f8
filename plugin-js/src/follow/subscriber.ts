import { randomBytes } from 'node:crypto';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { z } from 'zod';
import { subscriptions } from '../graph/addresses';
import { GraphError } from '../graph/graphError';
import { digestOf, type Subscription, type SubscriptionStore } from './subscriptionStore';
import type { FollowedTenant } from './questions';

/** Graph keeps them for less than 29 days; what nobody renews any more ends soon */
const LIFE_MS = 3 * 24 * 3600_000;
/** Renewed when half of it is left */
const RENEW_MS = LIFE_MS / 2;
/** Graph takes 100 of an application in a tenant; others of the same application may have some */
const MAX_SUBSCRIPTIONS = 95;

const USERS = '/users';

const createdSchema = z.object({ id: z.string().regex(/^[\w-]{1,64}$/), expirationDateTime: z.string() });

interface Options {
  store: SubscriptionStore;
  /** Where notifications are to be sent */
  url: string;
  tenants: readonly FollowedTenant[];
  /** Object ids of the tenant's groups that access hangs on, the most important ones first; `undefined` while that is not known */
  groups: (tenant: string) => Promise<readonly string[] | undefined>;
  logger: Pick<LoggerService, 'info' | 'warn'>;
  clock?: () => number;
}

/** A tenant, and how to ask it in one run */
interface Asked extends Pick<FollowedTenant, 'graph'> {
  ask: FollowedTenant['client']['ask'];
}

/** Asks Graph to be told of changes, and again before it forgets; without them everything goes on, only later */
export class Subscriber {
  readonly #options: Options;
  readonly #clock: () => number;
  readonly #said = new Map<string, string>();

  constructor(options: Options) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /** Why a tenant tells nothing of changes, if it does not */
  errorOf(tenant: string): string | undefined {
    return this.#said.get(tenant);
  }

  /** Makes, renews and ends what has to be. Never fails */
  async run(signal: AbortSignal): Promise<void> {
    for (const tenant of this.#options.tenants) await this.#tenant(tenant, signal);
  }

  async #tenant({ graph, client }: FollowedTenant, signal: AbortSignal): Promise<void> {
    const tenant: Asked = { graph, ask: request => client.ask({ ...request, signal }) };
    const { store, groups, logger, url } = this.#options;
    const { tenantId } = graph;
    try {
      let refused: GraphError | undefined;
      const known = new Map((await store.all(tenantId)).map(each => [each.resource, each]));
      const named = await groups(tenantId);
      // Whoever does not know yet which groups matter ends none of what others have asked for.
      const members = named?.map(id => `/groups/${id}/members`) ?? [...known.keys()];
      const resources = new Set([USERS, ...members].slice(0, MAX_SUBSCRIPTIONS));
      for (const each of known.values()) {
        if (signal.aborted) return;
        // First, so that there is room for others.
        if (!resources.has(each.resource) || each.url !== url) {
          await this.#end(tenant, each);
          known.delete(each.resource);
        }
      }
      for (const resource of resources) {
        if (signal.aborted) return;
        try {
          await this.#keep(tenant, resource, known.get(resource));
        } catch (error) {
          // A group that Graph does not take is its own affair; what is wrong with our address shows with the accounts, which come first.
          if (resource === USERS || !isAboutResource(error)) throw error;
          refused ??= error;
        }
      }
      if (refused) throw refused;
      if (this.#said.delete(tenantId)) logger.info(`tenant ${tenantId}: Microsoft Graph tells of changes again`);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof GraphError ? error.message : 'the database does not answer';
      if (this.#said.get(tenantId) !== reason)
        logger.warn(`tenant ${tenantId}: Microsoft Graph does not tell of changes, they are asked for: ${reason}`);
      this.#said.set(tenantId, reason);
    }
  }

  async #keep(tenant: Asked, resource: string, known: Subscription | undefined): Promise<void> {
    const { store } = this.#options;
    if (known && known.expiresAt - this.#clock() > RENEW_MS) return;
    if (known && (await this.#renewed(tenant, known))) return;
    const secret = randomBytes(32).toString('base64url');
    const body = {
      changeType: 'updated,deleted',
      notificationUrl: this.#options.url,
      resource,
      expirationDateTime: this.#expiration(),
      clientState: secret,
    };
    const answer = createdSchema.safeParse(await tenant.ask({ url: subscriptions(tenant.graph), body }));
    if (!answer.success)
      throw new GraphError('the answer of Microsoft Graph is refused: a subscription without an id', {
        scope: 'tenant',
      });
    const { id, expirationDateTime } = answer.data;
    await store.put({
      id,
      tenant: tenant.graph.tenantId,
      resource,
      url: this.#options.url,
      clientState: digestOf(secret),
      expiresAt: Date.parse(expirationDateTime) || this.#clock(),
    });
  }

  async #renewed(tenant: Asked, known: Subscription): Promise<boolean> {
    const expirationDateTime = this.#expiration();
    try {
      const url = subscriptions(tenant.graph, known.id);
      await tenant.ask({ url, method: 'PATCH', body: { expirationDateTime } });
    } catch (error) {
      // It has ended meanwhile: a new one, then.
      if (error instanceof GraphError && error.status === 404) return false;
      throw error;
    }
    await this.#options.store.put({ ...known, expiresAt: Date.parse(expirationDateTime) });
    return true;
  }

  async #end(tenant: Asked, { id }: Subscription): Promise<void> {
    await tenant.ask({ url: subscriptions(tenant.graph, id), method: 'DELETE' }).catch((error: unknown) => {
      if (!(error instanceof GraphError && error.status === 404)) throw error;
    });
    await this.#options.store.remove(id);
  }

  #expiration(): string {
    return new Date(this.#clock() + LIFE_MS).toISOString();
  }
}

function isAboutResource(error: unknown): error is GraphError {
  return error instanceof GraphError && error.isRefused;
}
