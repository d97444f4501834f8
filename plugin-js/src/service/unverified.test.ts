import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unverifiedClaims } from './unverified';

const encode = (payload: string | Buffer) => Buffer.from(payload).toString('base64url');
const token = (claims: unknown) => `e30.${encode(JSON.stringify(claims))}.x`;

test('what a token says about itself', () => {
  const times = { iat: 1_799_996_400, exp: 1_800_000_000, entra_access_until: 1_799_997_000 };
  const claims = { iss: 'https://issuer.example', sub: 'user:default/olivia', ...times, azp: 'AAAA-BBBB' };
  assert.deepEqual(unverifiedClaims(token(claims)), {
    issuer: 'https://issuer.example',
    subject: 'user:default/olivia',
    issued: 1_799_996_400,
    expires: 1_800_000_000,
    until: 1_799_997_000,
    clients: ['aaaa-bbbb'],
    appOnly: false,
    takesChallenges: false,
  });
});

test('claims of another type are absent', () => {
  const times = { iat: 1.5, exp: '1800000000', entra_access_until: null };
  const claims = { iss: ['https://issuer.example'], sub: 7, ...times, azp: {}, appid: 'x', idtyp: true };
  assert.deepEqual(unverifiedClaims(token(claims)), {
    issuer: undefined,
    subject: undefined,
    issued: undefined,
    expires: undefined,
    until: undefined,
    clients: ['x'],
    appOnly: false,
    takesChallenges: false,
  });
});

for (const [claims, appOnly] of [
  [{ idtyp: 'app' }, true],
  [{ idtyp: 'app', scp: '' }, true],
  [{ idtyp: 'app', scp: 'access_as_user' }, false],
  [{ idtyp: 'user' }, false],
  [{ idtyp: 'App' }, false],
  [{}, false],
] as const) {
  test(`${JSON.stringify(claims)} is ${appOnly ? 'an application by itself' : 'not app-only'}`, () => {
    assert.equal(unverifiedClaims(token(claims))?.appOnly, appOnly);
  });
}

for (const [xms_cc, takesChallenges] of [
  [['cp1'], true],
  [['CP1', 'other'], true],
  ['cp1', true],
  [['cp10', 'protapp'], false],
  [[], false],
  [[['cp1']], false],
  [{ cp1: true }, false],
  [undefined, false],
] as const) {
  test(`a client with the capabilities ${JSON.stringify(xms_cc)} takes ${takesChallenges ? '' : 'no '}claims challenges`, () => {
    assert.equal(unverifiedClaims(token({ xms_cc }))?.takesChallenges, takesChallenges);
  });
}

for (const [name, text] of [
  ['nothing', ''],
  ['a word', 'not-a-jwt-but-long-enough-for-a-static-token'],
  ['one dot', `e30.${encode('{}')}`],
  ['only dots', '...'],
  ['an array', token([])],
  ['null', token(null)],
  ['a number', token(7)],
  ['no JSON', `e30.${encode('{"iss":')}.x`],
  ['no text', `e30.${encode(Buffer.from([0xff, 0xfe]))}.x`],
  ['more than anybody can send', token({ iss: 'x'.repeat(64 * 1024) })],
  ['a million dots', '.'.repeat(1_000_000)],
] as const) {
  test(`${name} is no token of anybody, and nothing is thrown`, () => {
    assert.equal(unverifiedClaims(text)?.issuer, undefined);
  });
}

test('a broken token of ours is still ours', () => {
  const payload = encode(JSON.stringify({ iss: 'https://issuer.example' }));
  for (const broken of [
    `e30.${payload}.`,
    `.${payload}.`,
    `e30.${payload}.x.y.z`,
    `e30.${payload}==.x`,
    `€.${payload}.x`,
  ]) {
    assert.equal(unverifiedClaims(broken)?.issuer, 'https://issuer.example', broken);
  }
});

test('the same text is read once, as long as no many others come in between, and never again where it is long', () => {
  const first = token({ sub: 'first' });
  const claims = unverifiedClaims(first);
  assert.equal(unverifiedClaims(Buffer.from(first).toString()), claims);
  assert.ok(Object.isFrozen(claims) && Object.isFrozen(claims?.clients));
  for (let at = 0; at < 63; at += 1) unverifiedClaims(token({ sub: `other-${at}` }));
  assert.equal(unverifiedClaims(first), claims);
  unverifiedClaims(token({ sub: 'one more' }));
  assert.notEqual(unverifiedClaims(first), claims);
  assert.deepEqual(unverifiedClaims(first), claims);
  // Another signature makes another text.
  assert.notEqual(unverifiedClaims(`${first}y`), unverifiedClaims(first));
  assert.equal(unverifiedClaims(first.replace(/\..*\./, `.${encode('{"sub":"other"}')}.`))?.subject, 'other');
  const long = token({ sub: 'long', padding: 'x'.repeat(8_192) });
  assert.notEqual(unverifiedClaims(long), unverifiedClaims(long));
});
