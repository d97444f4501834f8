import { CatalogClient } from '@backstage/catalog-client';
import { z } from 'zod';
import { catalogGroup, GROUP_FIELDS } from '../access/directory';
import type { CatalogGroupInput } from '../core';
import { reviewPlugins, type CatalogLook, type PolicyReview } from '../doctor';
import { isAllowed } from '../http/bounded';
import type { PolicyText } from '../service/policyText';
import { UsageError } from './command';

const TIMEOUT_MS = 10_000;
/** More groups than any company has */
const MOST_GROUPS = 100_000;

const statusSchema = z.object({
  directory: z.object({ problems: z.array(z.object({ entityRef: z.string(), message: z.string() })) }),
});

/** A backend that is asked for its catalog and its plugins, as whoever the token is of */
export class RunningBackend {
  readonly #base: string;
  readonly #token: string;

  /** @throws UsageError for an address to which no token may be sent */
  constructor(address: string, token: string) {
    if (!URL.canParse(address) || !isAllowed(new URL(address))) {
      throw new UsageError(
        '--backend is no address such as https://backstage.example.com (http: only on this machine)',
      );
    }
    this.#base = address.replace(/\/+$/, '');
    this.#token = token;
  }

  async catalog(): Promise<CatalogLook> {
    try {
      const groups = await this.#groups();
      return { known: true, groups, problems: await this.#problems() };
    } catch (failure) {
      // A message of another server may hold anything.
      const status = (failure as { statusCode?: unknown }).statusCode;
      const why = typeof status === 'number' ? `answered ${status}` : 'does not answer';
      return {
        known: false,
        why: `the catalog of --backend ${why}`,
        fix: 'look at the address, and at the token for it',
      };
    }
  }

  review(policy: PolicyText): Promise<PolicyReview> {
    const auth = {
      getPluginRequestToken: async () => ({ token: this.#token }),
      getOwnServiceCredentials: async () => ({}),
    };
    const backend = { auth, discovery: this.#discovery } as unknown as Parameters<typeof reviewPlugins>[1];
    return reviewPlugins(policy, backend);
  }

  readonly #discovery = { getBaseUrl: async (pluginId: string) => `${this.#base}/api/${pluginId}` };

  async #groups(): Promise<CatalogGroupInput[]> {
    const fetchApi = { fetch: this.#fetch };
    const client = new CatalogClient({ discoveryApi: this.#discovery, fetchApi });
    const groups: CatalogGroupInput[] = [];
    const pages = client.streamEntities({ filter: { kind: 'Group' }, fields: GROUP_FIELDS }, { token: this.#token });
    for await (const page of pages) {
      for (const entity of page) groups.push(catalogGroup(entity));
      if (groups.length > MOST_GROUPS) throw new RangeError('too many groups');
    }
    return groups;
  }

  /** What the backend itself has found; `undefined` for a caller who may not ask */
  async #problems() {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await this.#fetch(`${this.#base}/api/entra-access/v1/status`, { headers });
    if (response.status !== 200) return undefined;
    return statusSchema.safeParse(await response.json()).data?.directory.problems;
  }

  /** The token goes where the operator said, and nowhere that an answer says */
  readonly #fetch: typeof fetch = (input, init) =>
    fetch(input, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
}
