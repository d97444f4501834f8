/**
 * The managed identity endpoint in the form of App Service: the address and a header's value come from the environment
 * (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`), and only the machine itself knows them.
 */
import { managedIdentity } from './applications';
import { graphBase, mintGraphToken } from './graphTokens';
import { json, type Reply, type Route, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

const HEADER = 'simulated-identity-header';
const LIFETIME = 24 * 3600;

export const managedIdentityRoutes: Route[] = [
  { name: 'managedIdentity', method: 'GET', path: '/msi/token', document: 'token', handle: grant },
];

/** What the process would find in its environment */
export function managedIdentityEnvironment({ authority }: Pick<Tenant, 'authority'>) {
  return { IDENTITY_ENDPOINT: `${authority}/msi/token`, IDENTITY_HEADER: HEADER };
}

function grant({ query, headers }: RouteRequest, tenant: Tenant): Reply {
  if (headers['x-identity-header'] !== HEADER) return refusal(401, 'The identity header is missing or wrong.');
  if (!query.get('api-version')) return refusal(400, "The parameter 'api-version' is missing.");
  const resource = query.get('resource');
  if (resource !== graphBase(tenant)) return refusal(400, `The resource ${resource} was not found.`);
  const clientId = query.get('client_id');
  if (clientId && clientId !== managedIdentity.clientId) return refusal(400, 'No managed identity was found.');
  const token = mintGraphToken(tenant, managedIdentity, LIFETIME);
  const expires = String(tenant.clock() + LIFETIME);
  return json(200, {
    access_token: token,
    client_id: managedIdentity.clientId,
    expires_on: expires,
    resource,
    token_type: 'Bearer',
  });
}

function refusal(statusCode: number, message: string): Reply {
  return json(statusCode, { statusCode, message });
}
