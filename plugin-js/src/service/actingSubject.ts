import type { Principal } from '../core';

/** Who acts, as Backstage names services: the client that got the token, or the issuer */
export function actingSubject({
  tenantId,
  clientId,
  issuer,
}: Pick<Principal, 'tenantId' | 'clientId' | 'issuer'>): string {
  return clientId ? `entra:${tenantId}:${clientId}` : issuer;
}
