import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { z } from 'zod';
import type { Answered, ForeignRule } from '../core';

/** Most rules that are asked about one entity; a policy names a handful */
const MOST = 64;
const TIMEOUT_MS = 5_000;
/** Whose rules are asked */
export const RESOURCE_TYPE = 'catalog-entity';

const answerSchema = z.object({ items: z.tuple([z.object({ result: z.enum(['ALLOW', 'DENY']) })]) });

/** Asks the catalog what its own permission rules say of an entity, as Backstage does when it applies a condition */
export class ResourceRules {
  readonly #auth: AuthService;
  readonly #discovery: DiscoveryService;

  constructor(options: { auth: AuthService; discovery: DiscoveryService }) {
    this.#auth = options.auth;
    this.#discovery = options.discovery;
  }

  /** `asks` are JSON texts of rules. What gets no answer, such as a rule that the catalog does not have, stays open */
  async ask(asks: readonly string[], entityRef: string): Promise<Answered> {
    const answered: Answered = { holds: [], fails: [] };
    await Promise.all(
      asks.slice(0, MOST).map(async text => {
        const holds = await this.#holds(JSON.parse(text) as ForeignRule, entityRef).catch(() => undefined);
        if (holds !== undefined) answered[holds ? 'holds' : 'fails'].push(text);
      }),
    );
    return answered;
  }

  /** One at a time: a rule that is not known spoils a whole batch */
  async #holds({ rule, params }: ForeignRule, resourceRef: string): Promise<boolean> {
    const { token } = await this.#auth.getPluginRequestToken({
      onBehalfOf: await this.#auth.getOwnServiceCredentials(),
      targetPluginId: 'catalog',
    });
    const base = await this.#discovery.getBaseUrl('catalog');
    const conditions = { rule, resourceType: RESOURCE_TYPE, params };
    const response = await fetch(`${base}/.well-known/backstage/permissions/apply-conditions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ items: [{ id: '0', resourceRef, resourceType: RESOURCE_TYPE, conditions }] }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the catalog answered ${response.status}`);
    return answerSchema.parse(await response.json()).items[0].result === 'ALLOW';
  }
}
