import type { Principal } from '../core';

/** Who acts, as Backstage names services: the client that got the token, the trust entry of a pipeline, or the issuer */
export function actingSubject({
  tenantId,
  clientId,
  issuer,
  pipeline,
}: Pick<Principal, 'tenantId' | 'clientId' | 'issuer' | 'pipeline'>): string {
  if (pipeline) return `${issuer}:${pipeline.trust}`;
  return clientId ? `entra:${tenantId}:${clientId}` : issuer;
}
