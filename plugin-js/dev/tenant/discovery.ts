/** OpenID discovery documents of both token versions, with the members of the real ones. */
import { tenantNotFound } from './errors';
import type { Issuer, TokenVersion } from './issuer';
import { json, type Route } from './routes';
import type { Tenant } from './tenant';

export const CLOUD_INSTANCE_NAME = 'lab.example';

export const discoveryRoutes: Route[] = [
  {
    name: 'discovery',
    method: 'GET',
    path: '/:tid/v2.0/.well-known/openid-configuration',
    document: 'discovery',
    handle: ({ params }, tenant) => serve(tenant, params.tid, '2.0'),
  },
  {
    name: 'discovery.v1',
    method: 'GET',
    path: '/:tid/.well-known/openid-configuration',
    document: 'discovery',
    handle: ({ params }, tenant) => serve(tenant, params.tid, '1.0'),
  },
];

function serve(tenant: Tenant, tid = '', version: TokenVersion) {
  const issuer = tenant.issuerOf(tid);
  if (!issuer) return tenantNotFound(tid);
  const named = tenant.faults.discovery === 'wrongIssuer' ? otherIssuer(tenant, issuer) : issuer;
  const document = { ...discoveryDocument(issuer, version), issuer: named.issuer(version) };
  return json(200, document, { 'cache-control': tenant.cacheControl });
}

export function otherIssuer(tenant: Tenant, issuer: Issuer): Issuer {
  return issuer === tenant.home ? tenant.foreign : tenant.home;
}

function discoveryDocument(issuer: Issuer, version: TokenVersion) {
  const { base, authority, tenantId } = issuer;
  const oauth = version === '2.0' ? `${base}/oauth2/v2.0` : `${base}/oauth2`;
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: version === '2.0' ? `${base}/discovery/v2.0/keys` : `${base}/discovery/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: issuer.issuer(version),
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${authority}/graph/oidc/userinfo`,
    authorization_endpoint: `${oauth}/authorize`,
    device_authorization_endpoint: `${oauth}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${oauth}/logout`,
    claims_supported: CLAIMS_SUPPORTED,
    kerberos_endpoint: `${authority}/${tenantId}/kerberos`,
    tenant_region_scope: 'EU',
    cloud_instance_name: CLOUD_INSTANCE_NAME,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: new URL(authority).host,
    rbac_url: `${authority}/rbac`,
  };
}

const CLAIMS_SUPPORTED = [
  'sub',
  'iss',
  'cloud_instance_name',
  'cloud_instance_host_name',
  'cloud_graph_host_name',
  'msgraph_host',
  'aud',
  'exp',
  'iat',
  'auth_time',
  'acr',
  'nonce',
  'preferred_username',
  'name',
  'tid',
  'ver',
  'at_hash',
  'c_hash',
  'email',
];
