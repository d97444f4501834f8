/** What a forger has at hand: a good token of the victim, the public keys, and a key of their own. */
import type { RejectionCode } from '../../../src/core/codes';
import type { Claims } from '../claims';
import { segments, segmentText, signRaw } from '../jws';
import { generateSigningKeySync, type SigningKey } from '../keys';
import type { User } from '../people';
import type { Tenant } from '../tenant';

export interface AttackDefinition {
  readonly name: string;
  readonly title: string;
  readonly expect: RejectionCode;
  readonly forge: (scene: AttackScene) => string;
}

export interface AttackScene {
  readonly tenant: Tenant;
  readonly victim: User;
  readonly token: string;
  /** The token's three segments, encoded */
  readonly parts: { readonly header: string; readonly payload: string; readonly signature: string };
  readonly headerText: string;
  readonly payloadText: string;
  /** Seconds since 1970 by the simulator's clock */
  readonly now: number;
  /** The victim's tenant's own key: what only Entra can sign with */
  readonly entraKey: SigningKey;
  /** Published by nobody */
  readonly attackerKey: SigningKey;
  /** A token of the victim's own issuer with other claims or header members */
  mint(claims: Claims, header?: Record<string, unknown>): string;
  /** Text signed by the victim's own issuer exactly as given */
  signAsEntra(headerText: string, payloadText: string): string;
}

/** Made once per process: which key it is doesn't matter, only that nobody publishes it */
let attackerKey: SigningKey | undefined;

export function attackScene(tenant: Tenant, victim: User): AttackScene {
  const issuer = tenant.issuerOf(victim.tenantId);
  if (!issuer) throw new Error(`no such tenant: ${victim.tenantId}`);
  const token = tenant.mintAccessToken(victim);
  const parts = segments(token);
  const entraKey = issuer.keys.current;
  return {
    tenant,
    victim,
    token,
    parts,
    headerText: segmentText(parts.header),
    payloadText: segmentText(parts.payload),
    now: tenant.clock(),
    entraKey,
    get attackerKey() {
      return (attackerKey ??= generateSigningKeySync());
    },
    mint: (claims, header) => tenant.mintAccessToken(victim, { claims, ...(header && { header }) }),
    signAsEntra: (headerText, payloadText) => signRaw(headerText, payloadText, entraKey),
  };
}

/** Adds raw text as last members of a JSON object: what JSON.stringify would never write */
export function withMembers(objectText: string, members: string): string {
  return `${objectText.slice(0, -1)},${members}}`;
}
