import { isAllowed, parseJson, readText, reasonOf } from '../http/bounded';
import { GraphError } from './graphError';
import { MAX_BYTES, MAX_SILENCE_MS } from './limits';

/** Graph's answer, and how much of what it grants is used up: 0.8 and more where it says so, else 0 */
export interface GraphAnswer {
  json: unknown;
  pressure: number;
}

/** One request to Graph */
export interface GraphRequest {
  url: URL;
  /** Makes it a POST, or what `method` says */
  body?: unknown;
  method?: 'PATCH' | 'DELETE';
  /** Longest answer. Default: {@link MAX_BYTES} */
  maxBytes?: number;
  /** Ends it, and the waits before it */
  signal?: AbortSignal;
  /** Makes advanced queries possible: the answer may lag behind by seconds */
  eventual?: boolean;
}

/** What Graph answers when all is well: the thing, the thing that was made, nothing */
const SUCCESS = [200, 201, 204];

/**
 * Sends one request within a time and reads its answer within a limit; no redirect is followed.
 * @throws GraphError for everything but a success with JSON in it
 */
export async function send(request: GraphRequest, token: string, timeoutMs: number): Promise<GraphAnswer> {
  const { url, body, eventual, maxBytes = MAX_BYTES } = request;
  if (!isAllowed(url)) throw new GraphError('the address of Microsoft Graph is not https', { scope: 'tenant' });
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
  const headers: Record<string, string> = {
    accept: 'application/json;odata.metadata=minimal',
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(eventual ? { ConsistencyLevel: 'eventual' } : {}),
  };
  const method = request.method ?? (body === undefined ? 'GET' : 'POST');
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { method, headers, body: JSON.stringify(body), redirect: 'manual', signal });
    text = await readText(response, maxBytes);
  } catch (error) {
    const reason = reasonOf(error, timeoutMs);
    if (error instanceof RangeError)
      throw new GraphError(`the answer of Microsoft Graph is refused: ${reason}`, { scope: 'principal' });
    throw new GraphError(`Microsoft Graph could not be reached: ${reason}`, { scope: 'tenant', transient: true });
  }
  const json = parseJson(text);
  if (!SUCCESS.includes(response.status)) throw refusal(response, json);
  if (json === undefined && response.status !== 204) {
    const message = 'Microsoft Graph answered something that is not JSON';
    throw new GraphError(message, { scope: 'tenant', transient: true });
  }
  return { json, pressure: Number(response.headers.get('x-ms-throttle-limit-percentage')) || 0 };
}

/** What each status means to us; Graph's own sentences may name people and are not repeated */
function refusal(response: Response, answer: unknown): GraphError {
  const { status } = response;
  const code = codeOf(answer);
  const said = `Microsoft Graph answered ${status}${code ? ` ${code}` : ''}`;
  const options = { status, code, retryAfterMs: retryAfter(response) };
  if (status === 429 || status >= 500) return new GraphError(said, { ...options, scope: 'tenant', transient: true });
  if (status >= 300 && status < 400)
    return new GraphError(`${said}, a redirect, which is not followed`, { ...options, scope: 'tenant' });
  if (status === 401) return new GraphError(said, { ...options, scope: 'tenant', transient: true });
  if (status === 403) {
    const pages = 'docs/groups.md (with `groups.source: graph`: docs/directory.md)';
    const hint = `grant the app registration the permissions of ${pages}, with admin consent`;
    return new GraphError(`${said}: ${hint}`, { ...options, scope: 'principal' });
  }
  if (status === 404)
    return new GraphError(`${said}: the tenant has no such object`, { ...options, scope: 'principal' });
  return new GraphError(said, { ...options, scope: 'principal' });
}

function codeOf(answer: unknown): string | undefined {
  const code = (answer as { error?: { code?: unknown } } | undefined | null)?.error?.code;
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined;
}

/** Graph names whole seconds */
function retryAfter(response: Response): number | undefined {
  const seconds = /^\s*(\d{1,6})\s*$/.exec(response.headers.get('retry-after') ?? '')?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, MAX_SILENCE_MS);
}
