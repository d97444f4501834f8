/**
 * The workloads: tokens as Entra issues them, for hundreds of different users, by the minting of the simulated tenant.
 * All are signed by one tenant, whose key set every contender gets.
 */
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { backstageApi } from '../plugin-js/dev/tenant/applications';
import { Issuer } from '../plugin-js/dev/tenant/issuer';
import { base64url, segments, segmentText } from '../plugin-js/dev/tenant/jws';
import { generateSigningKeySync } from '../plugin-js/dev/tenant/keys';
import { mintAccessToken, type MintOptions } from '../plugin-js/dev/tenant/mint';
import { people, type Group, type User } from '../plugin-js/dev/tenant/people';
import { HOME_TENANT_ID } from '../plugin-js/dev/tenant/tenantIds';
import { guid, seeded } from './random';

export type Algorithm = 'RS256' | 'ES256';

export interface Workload {
  algorithm: Algorithm;
  publicKey: KeyObject;
  publicKeyPem: string;
  /** Each a flat one-byte string, as an HTTP header is, and none seen before */
  tokens: string[];
  /** `oid` of the token at the same index */
  objectIds: string[];
  /** Everybody must refuse these */
  tampered: Record<string, string>;
  /** Signed well, but not for us: refused by whoever checks claims */
  misdirected: Record<string, string>;
}

const authority = 'https://login.microsoftonline.com';
const home = new Issuer(authority, HOME_TENANT_ID);
const ecKey = ecSigningKey();

/** Expected of every token, by every contender that checks claims; `exp` and `nbf` are always checked */
export const expected = { issuer: home.issuer('2.0'), audience: backstageApi.clientId };

/** The tenant's key set, with the members and the second key that real ones have */
export const jwks = JSON.stringify({
  keys: [
    ...home.keys.published.map(({ kid, n, e, certificate }) => ({
      ...{ kty: 'RSA', use: 'sig', kid, x5t: kid, n, e, x5c: [certificate] },
      issuer: `${authority}/{tenantid}/v2.0`,
    })),
    { ...ecKey.publicKey.export({ format: 'jwk' }), use: 'sig', kid: ecKey.kid },
  ],
});

/** The tenant has so many groups, of which each user is in some */
const GROUPS = Array.from({ length: 1000 }, groupMaker(seeded(1)));

/** Distinct tokens with that many groups: 5 make 1.7 KB, 50 make 4 KB, 200 make 12 KB */
export function workload(algorithm: Algorithm, groups: number, count: number): Workload {
  const random = seeded(groups);
  const users = Array.from({ length: count }, (_, index) => user(guid(random), index, groups));
  const mint = (each: User, options?: MintOptions) => flat(resign(mintAccessToken(each, home, options), algorithm));
  const someone = users[0] as User;
  const publicKey = algorithm === 'RS256' ? createPublicKey(home.keys.current.publicKeyPem) : ecKey.publicKey;
  const tokens = users.map(each => mint(each));
  const [first, second] = [segments(tokens[0] as string), segments(tokens[1] as string)];
  return {
    algorithm,
    publicKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    tokens,
    objectIds: users.map(({ oid }) => oid),
    tampered: {
      'a flipped bit in the signature': `${first.header}.${first.payload}.${flipped(first.signature)}`,
      'the signature of another token': `${first.header}.${first.payload}.${second.signature}`,
      'claims of another token': `${first.header}.${second.payload}.${first.signature}`,
    },
    misdirected: {
      'another audience': mint(someone, { audience: backstageApi.clientId.replace('6', '7') }),
      'another issuer': mint(someone, { claims: { iss: expected.issuer.replace('3f8a', '3f8b') } }),
      'an expired one': mint(someone, { now: Math.floor(Date.now() / 1000) - 100_000 }),
    },
  };
}

function groupMaker(random: () => number) {
  return (_: unknown, index: number): Group => ({ id: guid(random), displayName: `group-${index}`, memberOf: [] });
}

function user(oid: string, index: number, groups: number): User {
  // Neighbours share most groups, as colleagues do.
  const own = Array.from({ length: groups }, (_, nth) => GROUPS[(index * 7 + nth * 3) % GROUPS.length] as Group);
  return { ...people.rita, oid, groups: own };
}

/** Entra signs with RS256 only; the same claims under ES256 */
function resign(token: string, algorithm: Algorithm): string {
  if (algorithm === 'RS256') return token;
  const header = { ...JSON.parse(segmentText(segments(token).header)), alg: algorithm, kid: ecKey.kid };
  const input = `${base64url(JSON.stringify(header))}.${segments(token).payload}`;
  const signature = sign('sha256', Buffer.from(input), { key: ecKey.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function ecSigningKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { kid: generateSigningKeySync().kid, privateKey, publicKey: createPublicKey(publicKey) };
}

function flipped(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  return bytes.toString('base64url');
}

/** Template literals make ropes, which the first reader would pay for */
function flat(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1');
}
