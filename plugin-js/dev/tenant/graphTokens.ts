/**
 * App-only tokens for Microsoft Graph, and Graph's own look at them. The real ones are opaque to everybody else; these
 * are ordinary ones with Graph as audience.
 */
import { verify } from 'node:crypto';
import { MICROSOFT_GRAPH_ID, type Workload } from './applications';
import { graphError } from './graphErrors';
import type { Issuer } from './issuer';
import { segments, segmentText } from './jws';
import type { Reply, RouteRequest } from './routes';
import type { Tenant } from './tenant';

/** What stands before `/v1.0` */
export function graphBase({ authority }: Pick<Tenant, 'authority'>): string {
  return `${authority}/graph`;
}

export function mintGraphToken(tenant: Tenant, workload: Workload, lifetime: number): string {
  const { graphRoles = [] } = workload;
  const roles = graphRoles.length > 0 ? graphRoles : undefined;
  return tenant.mintAccessToken(workload, { lifetime, audience: MICROSOFT_GRAPH_ID, claims: { roles } });
}

/** Whom Graph sees: the tenant is the token's, there is none in the path */
export interface GraphCaller {
  tenantId: string;
  roles: readonly string[];
}

/** The caller, or Graph's refusal: 401 without a token for Graph, 403 unless one of each list of permissions is there */
export function authorize(
  request: RouteRequest,
  tenant: Tenant,
  needed: readonly (readonly string[])[],
): GraphCaller | Reply {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) return graphError(401, 'InvalidAuthenticationToken', 'Access token is empty.');
  const caller = read(token, tenant);
  if (!caller) return graphError(401, 'InvalidAuthenticationToken', 'Access token validation failure.');
  const lacks = needed.some(oneOf => !oneOf.some(role => caller.roles.includes(role)));
  if (lacks)
    return graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  return caller;
}

function read(token: string, tenant: Tenant): GraphCaller | undefined {
  try {
    const { payload } = segments(token);
    const claims = JSON.parse(segmentText(payload)) as Record<string, unknown>;
    const issuer = tenant.issuerOf(String(claims.tid));
    if (!issuer || !signedBy(issuer, token) || claims.aud !== MICROSOFT_GRAPH_ID) return undefined;
    if (Number(claims.exp) <= tenant.clock()) return undefined;
    return { tenantId: issuer.tenantId, roles: Array.isArray(claims.roles) ? claims.roles.map(String) : [] };
  } catch {
    return undefined;
  }
}

function signedBy(issuer: Issuer, token: string): boolean {
  const { header, payload, signature } = segments(token);
  const signed = Buffer.from(`${header}.${payload}`);
  return issuer.keys.published.some(key =>
    verify('sha256', signed, key.publicKeyPem, Buffer.from(signature, 'base64url')),
  );
}
