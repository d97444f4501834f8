/** Routing as data: each file that serves something exports its routes, and the server only joins the tables. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FaultyDocument } from './faults';
import type { Tenant } from './tenant';

export interface Route {
  /** Key in `tenant.requests` */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path in which `:word` stands for one segment */
  readonly path: string;
  /** The fault switch that this route obeys */
  readonly document?: FaultyDocument;
  readonly handle: (request: RouteRequest, tenant: Tenant) => Reply | Promise<Reply>;
}

export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function text(status: number, body: string): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body };
}

/** The route of a request with its path parameters, if there is one */
export function matchRoute(
  routes: readonly Route[],
  method: string | undefined,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  for (const route of routes) {
    const params = route.method === method ? matchPath(route.path, path) : undefined;
    if (params) return { route, params };
  }
  return undefined;
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split('/');
  const actual = path.split('/');
  if (expected.length !== actual.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, word] of expected.entries()) {
    const segment = actual[index] ?? '';
    if (word.startsWith(':')) params[word.slice(1)] = segment;
    else if (word !== segment) return undefined;
  }
  return params;
}
