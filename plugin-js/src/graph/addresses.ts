import type { Issuer } from '../core';

/** The kind of directory object that a principal is */
export type ObjectKind = 'users' | 'servicePrincipals';

/** Where the Graph of a tenant is, from the configured cloud and never from a token */
export type GraphTenant = Pick<Issuer, 'tenantId' | 'authority' | 'graph'>;

/** Only objects of this type count; without the cast, directory roles and administrative units are listed as well */
export const GROUP_TYPE = 'microsoft.graph.group';
/** The largest page that Graph gives */
const PAGE_SIZE = 999;

/** What a token for Graph is asked for */
export function graphScope({ graph }: GraphTenant): string {
  return `${graph}/.default`;
}

/** All security groups at once, up to 11,000 */
export function memberGroups({ graph }: GraphTenant, kind: ObjectKind, objectId: string): URL {
  return new URL(`${graph}/v1.0/${kind}/${encodeURIComponent(objectId)}/getMemberGroups`);
}

/** The same page by page; an OData cast wants `$count` and eventual consistency */
export function memberGroupPages({ graph }: GraphTenant, kind: ObjectKind, objectId: string): URL {
  const path = `${kind}/${encodeURIComponent(objectId)}/transitiveMemberOf/${GROUP_TYPE}`;
  return new URL(`${graph}/v1.0/${path}?$select=id,securityEnabled&$count=true&$top=${PAGE_SIZE}`);
}

/** The directory roles that are in use, whose ids may stand among the groups of a token */
export function directoryRoles({ graph }: GraphTenant): URL {
  return new URL(`${graph}/v1.0/directoryRoles?$select=id`);
}

/** The app registration of a client id, if it is one of the tenant: at most one */
export function applicationOf({ graph }: GraphTenant, appId: string): URL {
  const selected = [
    ...['appId', 'passwordCredentials', 'keyCredentials', 'identifierUris', 'api', 'groupMembershipClaims'],
    ...['web', 'spa', 'publicClient'],
  ];
  return byAppId(`${graph}/v1.0/applications`, appId, selected);
}

/** What stands for an application in the tenant, wherever it is registered: at most one */
export function servicePrincipalOf({ graph }: GraphTenant, appId: string, more: readonly string[] = []): URL {
  return byAppId(`${graph}/v1.0/servicePrincipals`, appId, ['id', ...more]);
}

/** Application permissions of a service principal, or (`assignedTo`) who has been assigned to it */
export function appRoleAssignments({ graph }: GraphTenant, id: string, assignedTo = false): URL {
  const list = assignedTo ? 'appRoleAssignedTo' : 'appRoleAssignments';
  return new URL(`${graph}/v1.0/servicePrincipals/${encodeURIComponent(id)}/${list}?$top=${PAGE_SIZE}`);
}

/** Those of some groups that exist; Graph takes {@link MAX_NAMED} at once */
export function groupsNamed({ graph }: GraphTenant, ids: readonly string[]): URL {
  const filter = `id in (${ids.map(quoted).join(',')})`;
  return new URL(`${graph}/v1.0/groups?$select=id&$filter=${encodeURIComponent(filter)}`);
}

/** Most values behind `in` */
export const MAX_NAMED = 15;

function byAppId(list: string, appId: string, selected: readonly string[]): URL {
  return new URL(`${list}?$select=${selected.join(',')}&$filter=${encodeURIComponent(`appId eq ${quoted(appId)}`)}`);
}

/** As OData writes texts */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A link to the next page, if it leads to the same list on the same host: our token goes nowhere else */
export function nextPage(link: string, first: URL): URL | undefined {
  if (!URL.canParse(link)) return undefined;
  const next = new URL(link);
  const same = next.origin === first.origin && next.pathname.toLowerCase() === first.pathname.toLowerCase();
  return same && !next.username && !next.password ? next : undefined;
}

/** Whether an address is one of the Graph of a tenant */
export function isBelow(url: URL, { graph }: GraphTenant): boolean {
  const base = new URL(`${graph}/v1.0/`);
  const inside = url.origin === base.origin && url.pathname.startsWith(base.pathname);
  return inside && !url.username && !url.password;
}

/** What has changed about people's accounts; all of them at first. Of certain people only, at most 50 */
export function usersDelta({ graph }: GraphTenant, ids: readonly string[] | null = null): URL {
  return only(ids, new URL(`${graph}/v1.0/users/delta?$select=accountEnabled,signInSessionsValidFromDateTime`));
}

/** Who came to groups and left them; at first everybody who is in one. Of certain groups only, at most 50 */
export function groupsDelta({ graph }: GraphTenant, ids: readonly string[] | null): URL {
  return only(ids, new URL(`${graph}/v1.0/groups/delta?$select=members`));
}

function only(ids: readonly string[] | null, url: URL): URL {
  if (ids) url.searchParams.set('$filter', ids.map(id => `id eq '${id}'`).join(' or '));
  return url;
}

/** Change notifications: all of them, or one */
export function subscriptions({ graph }: GraphTenant, id?: string): URL {
  return new URL(`${graph}/v1.0/subscriptions${id === undefined ? '' : `/${encodeURIComponent(id)}`}`);
}
