/**
 * Outages and hostile answers on demand. Those that bend a document's meaning live beside the document; those that
 * bend its transport live here.
 */
import type { ServerResponse } from 'node:http';
import type { Reply } from './routes';

export type FaultyDocument = 'discovery' | 'jwks' | 'token' | 'graph';

/**
 * down: connection reset · unavailable: 503 · slow: a drip of white space that never ends · notJson: a proxy's HTML
 * page · huge: the right document, 8 MiB of it · redirect: to another host name, where the right document waits
 */
export type TransportFault = 'down' | 'unavailable' | 'slow' | 'notJson' | 'huge' | 'redirect';

export interface Faults {
  /** wrongIssuer: names another tenant's issuer */
  discovery?: TransportFault | 'wrongIssuer' | undefined;
  /**
   * wrongIssuer, otherCloud: keys that claim to belong elsewhere · privateKeys: the private halves, too · manyKeys:
   * 10,000 more, below 1 MiB
   */
  jwks?: TransportFault | 'wrongIssuer' | 'otherCloud' | 'privateKeys' | 'manyKeys' | undefined;
  /** The token endpoint */
  token?: TransportFault | undefined;
  /**
   * resetMidBody: half an answer, then the connection is reset · malformed: half an answer, as if it were whole ·
   * throttled, throttledSilently: 429 with and without Retry-After · foreignNextLink: the next page on another host ·
   * endlessPages: a page that names itself as the next one · newLinks: the same page again and again, each time by another link · names: display names where ids belong · notThere: 404 ·
   * emptyTenant: a delta query that finds nobody
   */
  graph?:
    | TransportFault
    | 'resetMidBody'
    | 'malformed'
    | 'throttled'
    | 'throttledSilently'
    | 'foreignNextLink'
    | 'endlessPages'
    | 'newLinks'
    | 'names'
    | 'notThere'
    | 'emptyTenant'
    | undefined;
  /** Seconds in Retry-After. Default: 1 */
  retryAfter?: number | undefined;
  /** Seconds by which the header `Date` of every answer is ahead of the clock */
  clockAhead?: number | undefined;
}

/** Marks a followed redirect; the server counts it as `redirected` */
export const REDIRECTED = 'redirected';

const HUGE_BYTES = 8 * 1024 * 1024;
const DRIP_MS = 20;
const PROXY_PAGE = '<!DOCTYPE html><html><head><title>Proxy</title></head><body>Sign in to continue</body></html>';

/** Sends the reply, spoiled if the fault is one of transport */
export function send(response: ServerResponse, reply: Reply, fault: string | undefined, path: string): void {
  switch (fault) {
    case 'down':
      response.destroy();
      return;
    case 'unavailable':
      response.writeHead(503, { 'content-type': 'text/plain' }).end('The service is unavailable.');
      return;
    case 'slow':
      response.writeHead(reply.status, reply.headers);
      drip(response);
      return;
    case 'notJson':
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PROXY_PAGE);
      return;
    case 'huge':
      response.writeHead(reply.status, reply.headers).end(padded(reply.body));
      return;
    case 'resetMidBody':
      response.writeHead(reply.status, { ...reply.headers, 'content-length': String(Buffer.byteLength(reply.body)) });
      response.write(half(reply.body), () => response.destroy());
      return;
    case 'malformed':
      response.writeHead(reply.status, reply.headers).end(half(reply.body));
      return;
    case 'redirect':
      response.writeHead(302, { location: elsewhere(response, path) }).end();
      return;
    default:
      response.writeHead(reply.status, reply.headers).end(reply.body);
  }
}

/** White space may precede JSON, so no reader can tell early that nothing else will come */
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.once('close', () => clearInterval(timer));
}

function half(document: string): string {
  return document.slice(0, document.length >> 1);
}

function padded(document: string): string {
  return document.replace('{', `{"padding":"${'x'.repeat(HUGE_BYTES)}",`);
}

/** `localhost` reaches this very server but is not the host that was asked */
function elsewhere(response: ServerResponse, path: string): string {
  const port = response.socket?.localPort ?? 0;
  return `http://localhost:${port}${path}?${REDIRECTED}=1`;
}
