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

/** Waits until the catalog has processed its entities and the core knows their owners; `nested`: groups inside groups */
export async function untilReady(client: Client, adminToken: () => string, nested = 0): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = 'no answer';
  while (Date.now() < deadline) {
    try {
      const token = await client.tokenFor(adminToken());
      const status = await client.call('/api/entra-access/v1/status', token);
      const { owners = 0, groups = 0, nested: inside = 0 } = status.body?.directory ?? {};
      const entities = await client.call('/api/catalog/entities/by-query?filter=kind=component', token);
      last = `${owners} owners, ${groups} groups, ${inside} nested, ${entities.body?.totalItems} components`;
      if (owners >= 3 && groups >= 3 && inside >= nested && entities.body?.totalItems >= 3) return;
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
