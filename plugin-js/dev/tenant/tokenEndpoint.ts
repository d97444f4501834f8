/** The client credentials grant: app-only tokens for registered applications with the right secret. */
import { backstageApi, MICROSOFT_GRAPH_ID, workloads, type Workload } from './applications';
import { aadstsError, tenantNotFound } from './errors';
import { graphBase, mintGraphToken } from './graphTokens';
import { registrationOf } from './registrations';
import { json, type Reply, type Route, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

/** One second short of an hour, as the real endpoint answers */
const EXPIRES_IN = 3599;
const DEFAULT_SCOPE = '/.default';

export const tokenEndpointRoutes: Route[] = [
  { name: 'token', method: 'POST', path: '/:tid/oauth2/v2.0/token', document: 'token', handle: grantToken },
];

function grantToken(request: RouteRequest, tenant: Tenant): Reply {
  const tid = request.params.tid ?? '';
  const issuer = tenant.issuerOf(tid);
  if (!issuer) return tenantNotFound(tid);

  const form = new URLSearchParams(request.body);
  const grant = form.get('grant_type');
  if (!grant) return missing('grant_type');
  if (grant !== 'client_credentials') {
    return aadstsError(400, 'unsupported_grant_type', 70003, `The app requested an unsupported grant type '${grant}'.`);
  }

  const { clientId, secret } = credentials(request, form);
  if (!clientId) return missing('client_id');
  const workload = Object.values<Workload>(workloads).find(
    candidate => candidate.clientId === clientId.toLowerCase() && candidate.tenantId === issuer.tenantId,
  );
  if (!workload) {
    const message = `Application with identifier '${clientId}' was not found in the directory '${issuer.tenantId}'.`;
    return aadstsError(400, 'unauthorized_client', 700016, message);
  }
  const scope = form.get('scope');
  const refusal = checkSecret(workload, secret) ?? checkEnd(workload, tenant) ?? checkScope(scope, tenant);
  if (refusal) return refusal;

  const token = isForGraph(scope, tenant)
    ? mintGraphToken(tenant, consented(workload, tenant), EXPIRES_IN)
    : tenant.mintAccessToken(workload, { lifetime: EXPIRES_IN });
  const answer = { token_type: 'Bearer', expires_in: EXPIRES_IN, ext_expires_in: EXPIRES_IN, access_token: token };
  return json(200, answer, { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' });
}

/** In the form or in a Basic header: the real endpoint takes both */
function credentials(request: RouteRequest, form: URLSearchParams): { clientId: string; secret: string } {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic) {
    const [clientId = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent);
    return { clientId, secret };
  }
  return { clientId: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
}

function checkSecret(workload: Workload, secret: string): Reply | undefined {
  if (!secret) {
    const message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    return aadstsError(401, 'invalid_client', 7000218, message);
  }
  if (secret === workload.secret) return undefined;
  return aadstsError(
    401,
    'invalid_client',
    7000215,
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the ' +
      `client secret ID, for a secret added to app '${workload.clientId}'.`,
  );
}

/** With the permissions that it has at the moment */
function consented(workload: Workload, { registrations }: Tenant): Workload {
  const { graphRoles = workload.graphRoles } = registrationOf(registrations, workload.clientId) ?? {};
  return { ...workload, ...(graphRoles && { graphRoles }) };
}

/** Also of the right secret: the end of the one that begins like it */
function checkEnd({ clientId, secret }: Workload, tenant: Tenant): Reply | undefined {
  const entries = registrationOf(tenant.registrations, clientId)?.secrets.filter(({ hint }) => secret.startsWith(hint));
  if (!entries || entries.some(({ endsAt }) => endsAt > tenant.clock())) return undefined;
  const message = `The provided client secret keys for app '${clientId}' are expired.`;
  return aadstsError(401, 'invalid_client', 7000222, message);
}

/** An app can't pick single permissions, only ask for all that it was granted on one resource */
function checkScope(scope: string | null, tenant: Tenant): Reply | undefined {
  if (!scope) return missing('scope');
  if (!scope.endsWith(DEFAULT_SCOPE)) {
    const message = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
    return aadstsError(400, 'invalid_scope', 1002012, message);
  }
  const resource = scope.slice(0, -DEFAULT_SCOPE.length);
  if (resource === backstageApi.clientId || resource === backstageApi.appIdUri) return undefined;
  if (isForGraph(scope, tenant)) return undefined;
  const message = `The resource principal named ${resource} was not found in the tenant.`;
  return aadstsError(400, 'invalid_resource', 500011, message);
}

function isForGraph(scope: string | null, tenant: Tenant): boolean {
  const graph = [graphBase(tenant), MICROSOFT_GRAPH_ID].map(resource => resource + DEFAULT_SCOPE);
  return scope !== null && graph.includes(scope);
}

function missing(parameter: string): Reply {
  const message = `The request body must contain the following parameter: '${parameter}'.`;
  return aadstsError(400, 'invalid_request', 900144, message);
}
