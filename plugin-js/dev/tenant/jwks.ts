/** Key sets. Entra's keys carry no `alg`; the v2.0 ones carry an issuer of their own, the v1.0 ones don't. */
import { CLOUD_INSTANCE_NAME, otherIssuer } from './discovery';
import { tenantNotFound } from './errors';
import type { Issuer, TokenVersion } from './issuer';
import type { SigningKey } from './keys';
import { json, type Route } from './routes';
import type { Tenant } from './tenant';

type Jwk = Record<string, unknown>;

/** Ten times what a cache has to hold according to Microsoft */
const MANY_KEYS = 10_000;

export const jwksRoutes: Route[] = [
  {
    name: 'jwks',
    method: 'GET',
    path: '/:tid/discovery/v2.0/keys',
    document: 'jwks',
    handle: ({ params }, tenant) => serve(tenant, params.tid, '2.0'),
  },
  {
    name: 'jwks.v1',
    method: 'GET',
    path: '/:tid/discovery/keys',
    document: 'jwks',
    handle: ({ params }, tenant) => serve(tenant, params.tid, '1.0'),
  },
];

function serve(tenant: Tenant, tid = '', version: TokenVersion) {
  const issuer = tenant.issuerOf(tid);
  if (!issuer) return tenantNotFound(tid);
  return json(200, { keys: keySet(tenant, issuer, version) }, { 'cache-control': tenant.cacheControl });
}

function keySet(tenant: Tenant, issuer: Issuer, version: TokenVersion): Jwk[] {
  const published = issuer.keys.published;
  const keys = published.map(key => ({
    ...publicJwk(key),
    ...(version === '2.0' && { issuer: keyIssuer(tenant, issuer) }),
  }));
  switch (tenant.faults.jwks) {
    case 'wrongIssuer':
      return keys.map(key => ({ ...key, issuer: otherIssuer(tenant, issuer).issuer('2.0') }));
    case 'otherCloud':
      return keys.map(key => ({ ...key, cloud_instance_name: `not-${CLOUD_INSTANCE_NAME}` }));
    case 'privateKeys':
      return keys.map((key, index) => ({ ...published[index]?.privateKey.export({ format: 'jwk' }), ...key }));
    case 'manyKeys':
      return [...keys, ...stubKeys()];
    default:
      return keys;
  }
}

function publicJwk({ kid, n, e, certificate }: SigningKey): Jwk {
  return { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e, x5c: [certificate] };
}

/** Both forms occur in real documents: a template for all tenants, or one tenant's issuer */
function keyIssuer(tenant: Tenant, issuer: Issuer): string {
  return tenant.keyIssuers === 'tenant' ? issuer.issuer('2.0') : `${issuer.authority}/{tenantid}/v2.0`;
}

/** Small enough that the document stays below 1 MiB: a limit on the number of keys has to stop it */
function stubKeys(): Jwk[] {
  return Array.from({ length: MANY_KEYS }, (_, index) => ({
    kty: 'RSA',
    use: 'sig',
    kid: `stub-${index}`,
    n: 'AQAB',
    e: 'AQAB',
  }));
}
