/**
 * A simulated Entra cloud with two tenants, and the CI services beside it, speaking the real wire formats on the loopback
 * interface. It stands in for all of them in the story and in tests; the product never imports it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ci } from '../ci/ci';
import { ciRoutes } from '../ci/routes';
import { discoveryRoutes } from './discovery';
import { aadstsError } from './errors';
import { REDIRECTED, send } from './faults';
import { graphRoutes } from './graph';
import { graphApplicationRoutes } from './graphApplications';
import { PAGING } from './graphDelta';
import { settledDirectory } from './graphDirectory';
import { notify } from './graphSubscriptions';
import { Issuer } from './issuer';
import { jwksRoutes } from './jwks';
import { managedIdentityRoutes } from './managedIdentity';
import { mintAccessToken, mintIdToken } from './mint';
import { mintRoutes } from './mintEndpoint';
import { healthyRegistrations } from './registrations';
import { matchRoute, text, type Reply, type Route } from './routes';
import type { Tenant } from './tenant';
import { FOREIGN_TENANT_ID, HOME_TENANT_ID } from './tenantIds';
import { tokenEndpointRoutes } from './tokenEndpoint';

export interface TenantOptions {
  /** Default 0: any free one */
  port?: number;
  /** Seconds since 1970; default the system's clock */
  clock?: () => number;
  /** Served beside the built-in ones */
  routes?: readonly Route[];
}

/** Nobody sends more than a form here */
const MAX_BODY_BYTES = 64 * 1024;

const builtInRoutes: readonly Route[] = [
  ...discoveryRoutes,
  ...jwksRoutes,
  ...tokenEndpointRoutes,
  ...managedIdentityRoutes,
  ...graphRoutes,
  ...graphApplicationRoutes,
  ...mintRoutes,
  ...ciRoutes,
];

export async function startTenant(options: TenantOptions = {}): Promise<Tenant> {
  const routes = [...builtInRoutes, ...(options.routes ?? [])];
  const clock = options.clock ?? (() => Math.floor(Date.now() / 1000));

  const server = createServer((request, response) => {
    answer(request, response, routes, tenant).catch(error => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  // Of Node's five seconds a test that keeps the process busy would find the end just when it asks again. Tests of timers
  // look at 20 s and more: undici has one for each connection that it keeps.
  server.keepAliveTimeout = 15_000;
  const port = await listen(server, options.port ?? 0);
  const authority = `http://127.0.0.1:${port}`;

  const home = new Issuer(authority, HOME_TENANT_ID);
  const foreign = new Issuer(authority, FOREIGN_TENANT_ID);
  const issuerOf = (tenantId: string) => [home, foreign].find(issuer => issuer.tenantId === tenantId.toLowerCase());
  const ownIssuer = (tenantId: string) => {
    const issuer = issuerOf(tenantId);
    if (!issuer) throw new Error(`no such tenant: ${tenantId}`);
    return issuer;
  };

  const directories = new Map([home, foreign].map(each => [each.tenantId, settledDirectory(each.tenantId, clock)]));
  const directoryOf = (tenantId: string) => {
    const directory = directories.get(tenantId);
    if (!directory) throw new Error(`no such tenant: ${tenantId}`);
    return directory;
  };

  const tenant: Tenant = {
    authority,
    port,
    tenantId: home.tenantId,
    home,
    foreign,
    ci: new Ci(authority, clock),
    faults: {},
    registrations: healthyRegistrations(clock()),
    requests: Object.fromEntries([...routes.map(route => route.name), REDIRECTED, 'unknown'].map(name => [name, 0])),
    cacheControl: 'max-age=86400, private',
    keyIssuers: 'template',
    directory: directoryOf(home.tenantId),
    directoryOf,
    deltaPaging: { ...PAGING },
    deltaGeneration: 0,
    deltaListsRemoved: false,
    quota: { units: 1e9, left: 1e9 },
    subscriptions: new Map(),
    clock,
    issuerOf,
    mintAccessToken: (principal, mintOptions) =>
      mintAccessToken(principal, ownIssuer(principal.tenantId), { now: clock(), ...mintOptions }),
    mintIdToken: (user, mintOptions) => mintIdToken(user, ownIssuer(user.tenantId), { now: clock(), ...mintOptions }),
    rollKeys: rollOptions => home.keys.roll(rollOptions),
    close: () => close(server),
  };
  for (const [tenantId, directory] of directories)
    directory.listeners.push(change => void notify(tenant, tenantId, change));
  // The foreign tenant's keys wait until somebody asks for them.
  await home.keys.warmUp();
  return tenant;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  tenant: Tenant,
): Promise<void> {
  const url = new URL(request.url ?? '/', tenant.authority);
  const match = matchRoute(routes, request.method, url.pathname);
  if (!match) {
    count(tenant, 'unknown');
    send(response, text(404, 'not found\n'), undefined, url.pathname);
    return;
  }
  const { route, params } = match;
  const { clockAhead } = tenant.faults;
  if (clockAhead) response.setHeader('date', new Date(Date.now() + clockAhead * 1000).toUTCString());
  const redirected = url.searchParams.has(REDIRECTED);
  count(tenant, redirected ? REDIRECTED : route.name);
  const body = await readBody(request);
  const reply: Reply =
    body === undefined
      ? aadstsError(413, 'invalid_request', 90010, 'The request is too large.')
      : await route.handle({ params, query: url.searchParams, headers: request.headers, body }, tenant);
  const fault = route.document && !redirected ? tenant.faults[route.document] : undefined;
  send(response, reply, fault, url.pathname);
}

function count(tenant: Tenant, name: string): void {
  tenant.requests[name] = (tenant.requests[name] ?? 0) + 1;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve, reject) => {
    server.close(error => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
