/**
 * Whom both verifiers trust: one tenant, its two issuers with a key each, the audiences, the clock.
 * The keys are the fixed ones of `tests/keys`, which protect nothing: with them every token can be made again.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JSONWebKeySet } from 'jose';

const KEYS = join(__dirname, '../../../tests/keys');

export const TENANT = '1a1a1a1a-2222-3333-4444-5555555555ff';
export const FOREIGN_TENANT = '99999999-8888-7777-6666-555555555555';
export const AUDIENCES = ['aaaaaaaa-0000-0000-0000-00000000000a', 'api://backstage'];
/** The application through which people come, and the one that may come by itself */
export const PORTAL = 'aaaaaaaa-0000-0000-0000-00000000000b';
export const DAEMON = 'aaaaaaaa-0000-0000-0000-00000000000d';
/** Seconds since the epoch, from which every token is made */
export const NOW = 1_760_000_000;
/** `LEEWAY_SECONDS` and `ENTRA_LIFETIME_SECONDS` of src/limits.rs */
export const LEEWAY = 300;
export const LIFETIME = 28 * 3600;

export interface TrustedIssuer {
  /** Id of the core's issuer profile */
  id: string;
  issuer: string;
  kid: string;
  jwks: JSONWebKeySet;
}

export const ISSUERS: readonly TrustedIssuer[] = [
  trusted('entra-v2', `https://login.microsoftonline.com/${TENANT}/v2.0`, 'a', 'rsa-a'),
  trusted('entra-v1', `https://sts.windows.net/${TENANT}/`, 'b', 'rsa-b'),
];

/** `stranger` is published by nobody */
export const PRIVATE_KEYS: Record<'a' | 'b' | 'stranger', KeyObject> = {
  a: privateKey('rsa-a'),
  b: privateKey('rsa-b'),
  stranger: privateKey('rsa-weak'),
};

/** The section `entraAccess` */
export const CONFIGURATION = JSON.stringify({
  tenants: [{ tenantId: TENANT, audiences: AUDIENCES, clients: [DAEMON] }],
  policy: { rules: [] },
});

function trusted(id: string, issuer: string, kid: string, file: string): TrustedIssuer {
  const { n, e } = JSON.parse(readFileSync(join(KEYS, `${file}.public.json`), 'utf8'));
  return { id: `${id}:${TENANT}`, issuer, kid, jwks: { keys: [{ kty: 'RSA', use: 'sig', kid, n, e }] } };
}

function privateKey(file: string): KeyObject {
  const der = Buffer.from(readFileSync(join(KEYS, `${file}.der.b64`), 'utf8'), 'base64');
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
}
