/** Microsoft Graph about applications: registrations, service principals with what they may do, and which groups exist. */
import { MICROSOFT_GRAPH_ID } from './applications';
import { graphRoute, READ_APPLICATIONS, READ_GROUPS, type Answer } from './graph';
import { groupIdsOf } from './graphDirectory';
import { graphError, notThere } from './graphErrors';
import { graphBase } from './graphTokens';
import { registrationOf, type Registration } from './registrations';
import { json, type Route } from './routes';
import type { Tenant } from './tenant';

/** Graph takes no more values behind `in` */
const MOST_IN = 15;
/** Object id of Graph's own service principal, another one in each real tenant */
const GRAPH_PRINCIPAL = 'c0d7e1f4-2b98-4a56-8e3c-91f60b5d7a28';

/** Ids of application permissions; the same in every tenant */
export const GRAPH_ROLE_IDS: Readonly<Record<string, string>> = {
  'User.ReadBasic.All': '97235f07-e226-4f63-ace3-39588e11d3a1',
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'RoleManagement.Read.Directory': '483bed4a-2ad3-4361-a73b-c83ccdbdc53c',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Member.Read.Hidden': '658aa5d8-239f-45c4-aa12-864f4fc7e490',
  'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01',
  'Directory.ReadWrite.All': '19dbc75e-c2e2-444c-a770-ec69d8559fc7',
};

export const graphApplicationRoutes: Route[] = [
  graphRoute('graph.applications', 'GET', 'applications', [READ_APPLICATIONS], byAppId(application)),
  graphRoute('graph.servicePrincipals', 'GET', 'servicePrincipals', [READ_APPLICATIONS], servicePrincipals),
  graphRoute(
    'graph.appRoleAssignments',
    'GET',
    'servicePrincipals/:id/appRoleAssignments',
    [READ_APPLICATIONS],
    assignments(granted),
  ),
  graphRoute(
    'graph.appRoleAssignedTo',
    'GET',
    'servicePrincipals/:id/appRoleAssignedTo',
    [READ_APPLICATIONS],
    assignments(assigned),
  ),
  graphRoute('graph.groups', 'GET', 'groups', [READ_GROUPS], groups),
];

function list(tenant: Tenant, what: string, value: readonly unknown[]) {
  return json(200, { '@odata.context': `${graphBase(tenant)}/v1.0/$metadata#${what}`, value });
}

function badFilter() {
  return graphError(400, 'Request_UnsupportedQuery', 'Unsupported or invalid query filter clause specified.');
}

function appIdIn(filter: string | null): string | undefined {
  return /^appId eq '([^']*)'$/.exec(filter ?? '')?.[1];
}

/** Those of the caller's tenant; what is only a service principal there is not listed */
function byAppId(shown: (found: Registration) => unknown): Answer {
  return ({ query }, tenant, { tenantId }) => {
    const appId = appIdIn(query.get('$filter'));
    if (appId === undefined) return badFilter();
    const found = registrationOf(tenant.registrations, appId);
    return list(tenant, 'applications', found?.tenantId === tenantId ? [shown(found)] : []);
  };
}

function application(found: Registration) {
  const { appId, secrets, certificates, redirectUris, identifierUris, groupMembershipClaims } = found;
  return {
    appId,
    displayName: 'Backstage',
    identifierUris,
    groupMembershipClaims,
    api: { requestedAccessTokenVersion: found.requestedAccessTokenVersion },
    passwordCredentials: secrets.map(({ hint, endsAt }) => ({ hint, endDateTime: dateTime(endsAt), secretText: null })),
    keyCredentials: certificates.map(({ thumbprint, endsAt }) => ({
      customKeyIdentifier: thumbprint,
      endDateTime: dateTime(endsAt),
      type: 'AsymmetricX509Cert',
      usage: 'Verify',
      key: null,
    })),
    web: { redirectUris: redirectUris.web, logoutUrl: null },
    spa: { redirectUris: redirectUris.spa },
    publicClient: { redirectUris: redirectUris.publicClient },
  };
}

function servicePrincipals(...[request, tenant, caller]: Parameters<Answer>): ReturnType<Answer> {
  if (appIdIn(request.query.get('$filter')) !== MICROSOFT_GRAPH_ID) {
    return byAppId(({ principalId, appId }) => ({ id: principalId, appId }))(request, tenant, caller);
  }
  const appRoles = Object.entries(GRAPH_ROLE_IDS).map(([value, id]) => ({ id, value, isEnabled: true }));
  return list(tenant, 'servicePrincipals', [{ id: GRAPH_PRINCIPAL, appId: MICROSOFT_GRAPH_ID, appRoles }]);
}

function assignments(shown: (found: Registration) => unknown[]): Answer {
  return ({ params: { id = '' } }, tenant, { tenantId }) => {
    const found = Object.values<Registration>({ ...tenant.registrations }).find(
      each => each.principalId === id && each.tenantId === tenantId,
    );
    return found ? list(tenant, 'appRoleAssignments', shown(found)) : notThere(id);
  };
}

/** What it may do elsewhere */
function granted({ graphRoles }: Registration) {
  return graphRoles.map(role => ({ appRoleId: GRAPH_ROLE_IDS[role], resourceId: GRAPH_PRINCIPAL }));
}

/** Who was given it */
function assigned({ assignedGroups }: Registration) {
  return assignedGroups.map(principalId => ({ principalId, principalType: 'Group' }));
}

function groups(...[{ query }, tenant, { tenantId }]: Parameters<Answer>): ReturnType<Answer> {
  const named = /^id in \(((?:'[^']*',?)+)\)$/.exec(query.get('$filter') ?? '')?.[1];
  const ids = named?.split(',').map(quoted => quoted.slice(1, -1).toLowerCase());
  if (!ids || ids.length > MOST_IN) return badFilter();
  const known = groupIdsOf(tenantId);
  const { groups: followed } = tenant.directoryOf(tenantId);
  const there = ids.filter(id => (followed.has(id) ? !followed.get(id)?.removed : known.has(id)));
  return list(
    tenant,
    'groups',
    there.map(id => ({ id })),
  );
}

function dateTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
