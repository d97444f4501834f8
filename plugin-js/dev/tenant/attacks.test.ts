import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { backstageApi } from './applications';
import { attackNames, forgeAttack, forgeAttacks, type Attack } from './attacks';
import { base64url, segments, segmentText } from './jws';
import { people } from './people';
import { startTenant } from './server';
import type { Tenant } from './tenant';

/** A verifier that does everything that jose offers lets these pass: they are what the product adds */
const JOSE_ACCEPTS = [
  'id-token',
  'cnf',
  'ten-years',
  'foreign-tid',
  'app-without-oid',
  'unlisted-app',
  'duplicate-oid',
  'duplicate-oid-escaped',
  'tid-in-two-cases',
  'huge',
  'padded-base64',
  'b64',
  'trailing-newline',
  'non-canonical-base64url',
];

let tenant: Tenant;
let attacks: Attack[];
before(async () => {
  tenant = await startTenant();
  attacks = forgeAttacks(tenant);
});
after(() => tenant.close());

function joseVerify(token: string) {
  const keys = createRemoteJWKSet(new URL(`${tenant.home.base}/discovery/v2.0/keys`));
  return jwtVerify(token, keys, {
    issuer: tenant.home.issuer('2.0'),
    audience: backstageApi.clientId,
    algorithms: ['RS256'],
    typ: 'JWT',
    requiredClaims: ['exp', 'tid'],
    clockTolerance: 300,
  });
}

function attackToken(name: string): string {
  return forgeAttack(tenant, name).token;
}

test('the good token that they all start from is good', async () => {
  await joseVerify(tenant.mintAccessToken(people.olivia));
});

test('names are unique and each attack says what it is', () => {
  assert.equal(new Set(attackNames).size, attackNames.length);
  for (const { title, expect } of attacks) {
    assert.ok(title);
    assert.match(expect, /^[a-z_]+$/);
  }
  assert.throws(() => attackToken('kindness'), /no attack is called kindness/);
});

test('jose refuses all but those that only a stricter verifier can', async () => {
  const accepted: string[] = [];
  for (const { name, token } of attacks) {
    if (
      await joseVerify(token).then(
        () => true,
        () => false,
      )
    )
      accepted.push(name);
  }
  assert.deepEqual(accepted.sort(), [...JOSE_ACCEPTS].sort());
});

test('jose refuses for the reason that the attack is about', async () => {
  const reasons: Record<string, string> = {
    tampered: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'alg-none': 'ERR_JOSE_ALG_NOT_ALLOWED',
    'hs256-public-key': 'ERR_JOSE_ALG_NOT_ALLOWED',
    rs512: 'ERR_JOSE_ALG_NOT_ALLOWED',
    'wrong-kid': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'unknown-kid': 'ERR_JWKS_NO_MATCHING_KEY',
    'other-tenants-key': 'ERR_JWKS_NO_MATCHING_KEY',
    'other-tenants-key-our-kid': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'embedded-jwk': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'embedded-jku': 'ERR_JWKS_NO_MATCHING_KEY',
    'truncated-signature': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    crit: 'ERR_JOSE_NOT_SUPPORTED',
    'nonce-in-header': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    expired: 'ERR_JWT_EXPIRED',
    'not-yet-valid': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'no-exp': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'exp-string': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'other-audience': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'foreign-tenant': 'ERR_JWKS_NO_MATCHING_KEY',
    'issuer-template': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  };
  for (const [name, code] of Object.entries(reasons)) {
    await assert.rejects(joseVerify(attackToken(name)), { code }, name);
  }
});

test('the foreign token is genuine where it belongs', async () => {
  const keys = createRemoteJWKSet(new URL(`${tenant.foreign.base}/discovery/v2.0/keys`));
  const { payload } = await jwtVerify(attackToken('foreign-tenant'), keys, { audience: backstageApi.clientId });
  assert.equal(payload.oid, people.frank.oid);
});

test('duplicates are in the signed text itself', () => {
  const payload = (name: string) => segmentText(segments(attackToken(name)).payload);
  assert.equal(payload('duplicate-oid').match(/"oid":/g)?.length, 2);
  assert.match(payload('duplicate-oid-escaped'), /"oid":.*"\\u006fid":/);
  assert.equal(JSON.parse(payload('duplicate-oid-escaped')).oid, people.adam.oid, 'the last one wins in JavaScript');
  assert.match(payload('tid-in-two-cases'), /"tid":.*"TID":/);
});

test('the other spelling of a signature has the same bytes', () => {
  const { signature } = segments(attackToken('non-canonical-base64url'));
  const canonical = base64url(Buffer.from(signature, 'base64url'));
  assert.notEqual(signature, canonical);
  assert.equal(signature.slice(0, -1), canonical.slice(0, -1));
});

test('sizes and parts are as announced', () => {
  assert.ok(attackToken('huge').length > 400_000);
  assert.equal(attackToken('jwe').split('.').length, 5);
  assert.equal(attackToken('four-parts').split('.').length, 4);
  assert.ok(attackToken('alg-none-unsigned').endsWith('.'));
});

test('attacks work on any person', () => {
  for (const person of [people.rita, people.otto, people.frank]) {
    assert.equal(forgeAttacks(tenant, person).length, attackNames.length);
  }
});

test('nobody fetched the key that a header pointed to', () => {
  assert.equal(tenant.requests.unknown, 0);
});
