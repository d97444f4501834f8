import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isLocal, parseJson, readText, reasonOf } from '../http/bounded';
import { within } from '../service/within';
import { graphScope, type GraphTenant } from './addresses';
import { GraphError } from './graphError';
import type { GraphSettings } from './settings';

/** A token this close to its end is replaced before it is used */
const SPARE_MS = 5 * 60_000;
/** A token is thrown away no sooner: a refusal that a new one can't mend must not become a flood of requests for new ones */
const FORGOTTEN_AFTER_MS = 60_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** Gives tokens for Microsoft Graph */
export interface GraphCredential {
  /** @throws GraphError without any secret in it */
  token(timeoutMs: number): Promise<string>;
  /** Graph did not like the token: the next one is a new one */
  forget(): void;
}

interface Token {
  token: string;
  /** Milliseconds since the epoch */
  expiresAt: number;
}

type Source = (timeoutMs: number) => Promise<Token>;

/** The credential of a tenant: by `@azure/identity`, which refuses plain http, or at the token endpoint of this machine */
export function createCredential(settings: GraphSettings, tenant: GraphTenant): GraphCredential {
  const onThisMachine = isPlain(tenant);
  if (onThisMachine && settings.kind === 'secret') return new CachedToken(() => askTokenEndpoint(settings, tenant));
  return new CachedToken(() => azureSource(settings, tenant));
}

/** Whether sign-in happens over plain http, which only a simulator does */
export function isPlain({ authority }: GraphTenant): boolean {
  const url = new URL(authority);
  return url.protocol === 'http:' && isLocal(url);
}

/** One token for all who ask, and one request for it */
class CachedToken implements GraphCredential {
  readonly #makeSource: () => Source;
  #source?: Source;
  #kept?: Token & { since: number };
  #flight?: Promise<string>;

  constructor(makeSource: () => Source) {
    this.#makeSource = makeSource;
  }

  async token(timeoutMs: number): Promise<string> {
    if (this.#kept && Date.now() < this.#kept.expiresAt - SPARE_MS) return this.#kept.token;
    this.#flight ??= this.#fetch(timeoutMs).finally(() => {
      this.#flight = undefined;
    });
    return this.#flight.catch((error: unknown) => {
      // What is left of the old one may outlive a short outage of sign-in.
      if (this.#kept && Date.now() < this.#kept.expiresAt) return this.#kept.token;
      throw error;
    });
  }

  forget(): void {
    if (!this.#kept || Date.now() - this.#kept.since < FORGOTTEN_AFTER_MS) return;
    this.#kept = undefined;
    // `@azure/identity` keeps tokens, too; a new object has none.
    this.#source = undefined;
  }

  async #fetch(timeoutMs: number): Promise<string> {
    this.#source ??= this.#makeSource();
    const late = () => refused(`no answer within ${timeoutMs / 1000} s`);
    const token = await within(timeoutMs, this.#source(timeoutMs), late);
    this.#kept = { ...token, since: Date.now() };
    return token.token;
  }
}

function refused(reason: string): GraphError {
  return new GraphError(`there is no token for Microsoft Graph: ${reason}`, { scope: 'tenant' });
}

// ---- the token endpoint of this machine

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

function askTokenEndpoint(settings: Extract<GraphSettings, { kind: 'secret' }>, tenant: GraphTenant): Source {
  return async timeoutMs => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: settings.clientId,
      client_secret: settings.secret,
      scope: graphScope(tenant),
    });
    const url = `${tenant.authority}/${tenant.tenantId}/oauth2/v2.0/token`;
    const signal = AbortSignal.timeout(timeoutMs);
    let answer: unknown;
    try {
      const response = await fetch(url, { method: 'POST', body: form, redirect: 'manual', signal });
      answer = parseJson(await readText(response, MAX_ANSWER_BYTES));
      if (response.status !== 200) throw refused(`${response.status} ${describe(answer)}`.trim());
    } catch (error) {
      throw error instanceof GraphError ? error : refused(reasonOf(error, timeoutMs));
    }
    const parsed = tokenSchema.safeParse(answer);
    if (!parsed.success) throw refused('the token endpoint answered something else');
    return { token: parsed.data.access_token, expiresAt: Date.now() + parsed.data.expires_in * 1000 };
  };
}

// ---- @azure/identity

/** Loaded when it is first needed: it is large, and most tokens carry their groups */
function azureSource(settings: GraphSettings, tenant: GraphTenant): Source {
  let credential: ReturnType<typeof azureCredential> | undefined;
  return async timeoutMs => {
    try {
      credential ??= azureCredential(settings, tenant);
      const abortSignal = AbortSignal.timeout(timeoutMs);
      const token = await (await credential).getToken(graphScope(tenant), { abortSignal });
      return { token: token.token, expiresAt: token.expiresOnTimestamp };
    } catch (error) {
      credential = undefined;
      throw error instanceof GraphError ? error : refused(describeAzure(error));
    }
  };
}

async function azureCredential(settings: GraphSettings, { tenantId, authority }: GraphTenant) {
  const azure = await import('@azure/identity');
  // The cloud is the configured one: nobody else is asked where it is.
  const options = { authorityHost: authority, disableInstanceDiscovery: true, retryOptions: { maxRetries: 1 } };
  switch (settings.kind) {
    case 'secret':
      return new azure.ClientSecretCredential(tenantId, settings.clientId, settings.secret, options);
    case 'certificate': {
      // Read again for each new credential: certificates are renewed while the backend runs.
      const certificate = await readFile(settings.path, 'utf8').catch(() => {
        throw refused('the file of `entraAccess.groups.graph.certificate` could not be read');
      });
      return new azure.ClientCertificateCredential(tenantId, settings.clientId, { certificate }, options);
    }
    default:
      return new azure.ManagedIdentityCredential(settings.clientId ? { clientId: settings.clientId } : {});
  }
}

/** Entra's number and OAuth's code; the sentence around them names applications and trace ids */
function describe(answer: unknown): string {
  const { error, error_codes: codes } = (answer ?? {}) as { error?: unknown; error_codes?: unknown };
  const number = Array.isArray(codes) && typeof codes[0] === 'number' ? `AADSTS${codes[0]}` : '';
  const code = typeof error === 'string' && /^\w{1,64}$/.test(error) ? error : '';
  return [number, code].filter(Boolean).join(' ');
}

function describeAzure(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const number = /AADSTS\d{4,8}/.exec(error.message)?.[0];
  if (number) return `Entra ID answered ${number}`;
  if (error.name === 'CredentialUnavailableError')
    return 'there is no managed identity on this machine, or its endpoint is not reachable';
  if (error.name === 'AbortError') return 'no answer in time';
  return `${/^\w{1,64}$/.test(error.name) ? error.name : 'failed'} in @azure/identity`;
}
