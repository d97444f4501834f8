/**
 * Microsoft Graph, as far as memberships go: `{authority}/graph/v1.0/...` with the real paths, bodies and errors.
 * Graph takes the tenant from the token.
 */
import { directoryRoles, membershipsOf, type Membership, type ObjectKind } from './graphDirectory';
import { graphError, notThere, throttled } from './graphErrors';
import { groupsDelta, usersDelta } from './graphDelta';
import * as subscriptions from './graphSubscriptions';
import { authorize, graphBase, type GraphCaller } from './graphTokens';
import { json, type Reply, type Route, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

/** More ids than this are not listed in one answer of getMemberGroups */
const MOST_IDS = 11_000;
const PAGE = { default: 100, max: 999 };
/** What a request costs, about: one to five units */
const UNITS = 2;
/** From this share of what is granted on, Graph says how much is used up */
const TOLD_FROM = 0.8;
const CAST = 'microsoft.graph.group';

const READ_USERS = ['User.ReadBasic.All', 'User.Read.All', 'Directory.Read.All'];
/** `accountEnabled` is none of the basic properties; `/users/delta` takes one of these of an application, whatever it selects */
const READ_ACCOUNTS = ['User.Read.All', 'Directory.Read.All'];
export const READ_GROUPS = ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All'];
export const READ_APPLICATIONS = ['Application.Read.All', 'Directory.Read.All'];
const READ_ROLES = ['RoleManagement.Read.Directory', 'Directory.Read.All'];

const NEEDED: Record<ObjectKind, readonly (readonly string[])[]> = {
  users: [READ_USERS, READ_GROUPS],
  servicePrincipals: [READ_APPLICATIONS],
};

export type Answer = (request: RouteRequest, tenant: Tenant, caller: GraphCaller) => Reply | Promise<Reply>;

export const graphRoutes: Route[] = [
  ...(['users', 'servicePrincipals'] as const).flatMap(kind => [
    graphRoute(
      `graph.${kind}.getMemberGroups`,
      'POST',
      `${kind}/:id/getMemberGroups`,
      NEEDED[kind],
      memberGroups(kind),
    ),
    graphRoute(
      `graph.${kind}.transitiveMemberOf`,
      'GET',
      `${kind}/:id/transitiveMemberOf`,
      NEEDED[kind],
      memberOf(kind, false),
    ),
    graphRoute(
      `graph.${kind}.transitiveMemberOf.groups`,
      'GET',
      `${kind}/:id/transitiveMemberOf/${CAST}`,
      NEEDED[kind],
      memberOf(kind, true),
    ),
  ]),
  graphRoute('graph.directoryRoles', 'GET', 'directoryRoles', [READ_ROLES], roles),
  graphRoute('graph.users.delta', 'GET', 'users/delta', [READ_ACCOUNTS], usersDelta),
  graphRoute('graph.groups.delta', 'GET', 'groups/delta', [READ_GROUPS], groupsDelta),
  graphRoute('graph.subscriptions.create', 'POST', 'subscriptions', [READ_ACCOUNTS], subscriptions.create),
  graphRoute('graph.subscriptions.renew', 'PATCH', 'subscriptions/:id', [READ_ACCOUNTS], subscriptions.renew),
  graphRoute('graph.subscriptions.remove', 'DELETE', 'subscriptions/:id', [READ_ACCOUNTS], subscriptions.remove),
];

export function graphRoute(
  name: string,
  method: Route['method'],
  path: string,
  needed: readonly (readonly string[])[],
  answer: Answer,
): Route {
  return {
    name,
    method,
    path: `/graph/v1.0/${path}`,
    document: 'graph',
    async handle(request, tenant) {
      const caller = authorize(request, tenant, needed);
      if ('status' in caller) return caller;
      const { graph, retryAfter = 1 } = tenant.faults;
      if (graph === 'throttled') return throttled(retryAfter);
      if (graph === 'throttledSilently') return throttled(undefined);
      if (graph === 'notThere') return notThere(request.params.id ?? '');
      const { quota } = tenant;
      if (quota.left < UNITS) return throttled(retryAfter);
      quota.left -= UNITS;
      const used = 1 - quota.left / quota.units;
      const reply = await answer(request, tenant, caller);
      const told = { 'x-ms-resource-unit': String(UNITS), 'x-ms-throttle-limit-percentage': used.toFixed(2) };
      return used < TOLD_FROM ? reply : { ...reply, headers: { ...reply.headers, ...told } };
    },
  };
}

function memberGroups(kind: ObjectKind): Answer {
  return ({ params: { id = '' }, body }, tenant, { tenantId }) => {
    const memberships = membershipsOf(kind, id, tenantId, tenant.directoryOf(tenantId));
    if (!memberships) return notThere(id);
    const securityOnly = securityEnabledOnly(body);
    if (securityOnly === undefined) {
      return graphError(400, 'Request_BadRequest', "The parameter 'securityEnabledOnly' is missing.");
    }
    const found = memberships.filter(
      ({ type, securityEnabled }) => type === 'group' && (securityEnabled || !securityOnly),
    );
    if (found.length > MOST_IDS) {
      const message = 'The result set is larger than the maximum allowed number of items.';
      return graphError(400, 'Directory_ResultSizeLimitExceeded', message);
    }
    const named = tenant.faults.graph === 'names';
    const context = `${graphBase(tenant)}/v1.0/$metadata#Collection(Edm.String)`;
    return json(200, { '@odata.context': context, value: found.map(group => (named ? group.displayName : group.id)) });
  };
}

function securityEnabledOnly(body: string): boolean | undefined {
  try {
    const value = (JSON.parse(body) as { securityEnabledOnly?: unknown }).securityEnabledOnly;
    return typeof value === 'boolean' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Without the cast, directory roles and administrative units are in the list */
function memberOf(kind: ObjectKind, cast: boolean): Answer {
  return ({ params: { id = '' }, query, headers }, tenant, { tenantId }) => {
    const all = membershipsOf(kind, id, tenantId, tenant.directoryOf(tenantId));
    if (!all) return notThere(id);
    if (cast && (headers.consistencylevel !== 'eventual' || query.get('$count') !== 'true')) {
      const message = 'The specified cast needs the header ConsistencyLevel: eventual and $count=true.';
      return graphError(400, 'Request_UnsupportedQuery', message);
    }
    const path = `${kind}/${id}/transitiveMemberOf${cast ? `/${CAST}` : ''}`;
    return page(tenant, path, query, cast ? all.filter(({ type }) => type === 'group') : all, !cast);
  };
}

function roles(_request: RouteRequest, tenant: Tenant): Reply {
  return page(tenant, 'directoryRoles', new URLSearchParams(), Object.values(directoryRoles), false);
}

/** A page; behind the skip token stands the first item of the next one. The last page may be empty */
function page(tenant: Tenant, path: string, query: URLSearchParams, all: readonly Membership[], typed: boolean): Reply {
  const top = Number(query.get('$top') ?? PAGE.default);
  if (!Number.isInteger(top) || top < 1 || top > PAGE.max) {
    return graphError(400, 'Request_BadRequest', `Invalid page size specified: '${top}'. Must be between 1 and 999.`);
  }
  const { graph } = tenant.faults;
  const at = graph === 'endlessPages' ? 0 : Number(query.get('$skiptoken') ?? 0);
  const items = all.slice(at, at + top).map(item => shown(item, typed, graph === 'names'));
  const next = new URLSearchParams(query);
  next.set('$skiptoken', String(at + top));
  const base = graph === 'foreignNextLink' ? graphBase(tenant).replace('127.0.0.1', 'localhost') : graphBase(tenant);
  // As Graph may: the last full page points to an empty one.
  const more = at + top <= all.length || graph === 'endlessPages';
  return json(200, {
    '@odata.context': `${graphBase(tenant)}/v1.0/$metadata#directoryObjects`,
    ...(query.get('$count') === 'true' && at === 0 && { '@odata.count': all.length }),
    ...(more && { '@odata.nextLink': `${base}/v1.0/${path}?${next}` }),
    value: items,
  });
}

function shown({ type, id, displayName, securityEnabled }: Membership, typed: boolean, named: boolean) {
  return {
    ...(typed && { '@odata.type': `#microsoft.graph.${type}` }),
    id: named ? displayName : id,
    displayName,
    ...(securityEnabled !== undefined && { securityEnabled }),
  };
}
