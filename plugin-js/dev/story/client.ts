import type { Environment } from './environment';

/** An answer over HTTP */
export interface Answer {
  status: number;
  body: any;
}

/** Calls the backend as anybody could: plain HTTP with a bearer token */
export class Client {
  /** Sees every answer as it came; for tests */
  static observe?: (seen: { method: string; path: string; status: number; type: string; text: string }) => void;
  readonly base: string;

  constructor({ backendUrl }: Pick<Environment, 'backendUrl'>) {
    this.base = backendUrl;
  }

  /** `body` makes it a POST */
  async call(path: string, token?: string, body?: unknown): Promise<Answer> {
    const method = body === undefined ? 'GET' : 'POST';
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const { status, headers } = response;
    Client.observe?.({ method, path, status, type: headers.get('content-type') ?? '', text });
    return { status, body: parse(text) };
  }

  /** Exchanges an Entra token for a Backstage token */
  signIn(entraToken: string): Promise<Answer> {
    return this.call('/api/auth/entra/refresh', entraToken);
  }

  /** The Backstage token of somebody who may sign in */
  async tokenFor(entraToken: string): Promise<string> {
    const { status, body } = await this.signIn(entraToken);
    if (status !== 200) throw new Error(`sign-in answered ${status}: ${JSON.stringify(body?.error ?? body)}`);
    return body.backstageIdentity.token;
  }

  /** Asks why */
  explain(token: string, permission: string, resourceRef?: string, principal?: string): Promise<Answer> {
    return this.call('/api/entra-access/v1/decisions/explain', token, { permission, resourceRef, principal });
  }
}

const READY_WITHIN_MS = 60_000;

/** Of the story; a company may have more, which are not there at the same moment */
const COMPONENTS = ['payments-api', 'search-api', 'portal'].map(name => `component:default/${name}`);

interface Expected {
  /** Groups of the catalog that the core must know */
  owners?: number;
  /** Groups inside groups */
  nested?: number;
}

/** Waits until the catalog has processed the entities of the story and the core knows their owners */
export async function untilReady(
  client: Client,
  adminToken: () => string,
  { owners = 3, nested = 0 }: Expected = {},
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = 'no answer';
  while (Date.now() < deadline) {
    try {
      const token = await client.tokenFor(adminToken());
      const status = await client.call('/api/entra-access/v1/status', token);
      const known = { owners: 0, groups: 0, nested: 0, ...status.body?.directory };
      const { body } = await client.call('/api/catalog/entities/by-refs', token, { entityRefs: COMPONENTS });
      const owned = body.items.filter((entity?: { relations?: Array<{ type: string }> }) =>
        entity?.relations?.some(({ type }) => type === 'ownedBy'),
      ).length;
      last = `${known.owners} owners, ${known.groups} groups, ${known.nested} nested, ${owned} components that somebody owns`;
      const enough = known.owners >= owners && known.groups >= 3 && known.nested >= nested;
      if (enough && owned === COMPONENTS.length) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  throw new Error(`the backend was not ready within ${READY_WITHIN_MS / 1000} s: ${last}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
