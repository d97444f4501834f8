import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { z } from 'zod';
import type { Answered, ForeignRule } from '../core';

/** Most rules that are asked about one entity, in one request; a policy names a handful */
const MOST = 64;
/** Most of them that are asked each by itself */
const EACH = 16;
const TIMEOUT_MS = 5_000;
/** Whose rules are asked */
export const RESOURCE_TYPE = 'catalog-entity';

const answerSchema = z.object({ items: z.array(z.object({ id: z.string(), result: z.enum(['ALLOW', 'DENY']) })) });

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
    const take = async (texts: readonly string[]) => {
      for (const [text, holds] of await this.#answers(texts, entityRef)) answered[holds ? 'holds' : 'fails'].push(text);
    };
    const texts = asks.slice(0, MOST);
    try {
      await take(texts);
    } catch (error) {
      // A rule that is not known, or is asked with what it does not take, spoils all that is asked with it.
      const spoiled = error instanceof RefusedError && SPOILED.has(error.status) && texts.length > 1;
      if (spoiled) await Promise.all(texts.slice(0, EACH).map(text => take([text]).catch(() => undefined)));
    }
    return answered;
  }

  /** Of each rule whether it holds. @throws RefusedError where the catalog takes the question for none */
  async #answers(texts: readonly string[], resourceRef: string): Promise<Array<[string, boolean]>> {
    const { token } = await this.#auth.getPluginRequestToken({
      onBehalfOf: await this.#auth.getOwnServiceCredentials(),
      targetPluginId: 'catalog',
    });
    const base = await this.#discovery.getBaseUrl('catalog');
    const items = texts.map((text, at) => {
      const { rule, params } = JSON.parse(text) as ForeignRule;
      const conditions = { rule, resourceType: RESOURCE_TYPE, params };
      return { id: String(at), resourceRef, resourceType: RESOURCE_TYPE, conditions };
    });
    const response = await fetch(`${base}/.well-known/backstage/permissions/apply-conditions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new RefusedError(response.status);
    const results = new Map(answerSchema.parse(await response.json()).items.map(({ id, result }) => [id, result]));
    return texts.flatMap((text, at) => {
      const result = results.get(String(at));
      return result === undefined ? [] : [[text, result === 'ALLOW'] as [string, boolean]];
    });
  }
}

/** What the catalog answers to a rule that it does not have, or that is asked with what it does not take */
const SPOILED: ReadonlySet<number> = new Set([400, 500]);

/** The catalog answered with another status than 200 */
class RefusedError extends Error {
  constructor(readonly status: number) {
    super(`the catalog answered ${status}`);
  }
}
