import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type KeyLike } from 'jose';
import { IssuedTokens } from './issuedTokens';

const FAILED = { name: 'AuthenticationError', message: 'Failed user token verification' };
const USER = 'vnd.backstage.user';
const NOW = Math.floor(Date.now() / 1000);

let keys: KeyLike;
let others: KeyLike;
let backend: Server;
let issued: IssuedTokens;

before(async () => {
  const pair = await generateKeyPair('ES256');
  keys = pair.privateKey;
  others = (await generateKeyPair('ES256')).privateKey;
  const published = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }] };
  backend = createServer((request, response) => {
    const found = request.url === '/api/auth/.well-known/jwks.json';
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(published));
  });
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve));
  const { port } = backend.address() as AddressInfo;
  issued = new IssuedTokens({ getBaseUrl: async plugin => `http://127.0.0.1:${port}/api/${plugin}` });
});
after(() => {
  backend.close();
  backend.closeAllConnections();
});

function tokenOf({ typ = USER, key = keys, kid = 'one', claims = {} }: Record<string, any>): Promise<string> {
  const all = { sub: 'user:default/olivia', iat: NOW, exp: NOW + 3600, aud: 'backstage', ...claims };
  return new SignJWT(all).setProtectedHeader({ typ, alg: 'ES256', kid }).sign(key);
}

test('both kinds of user tokens that the auth backend has signed are proved', async () => {
  for (const typ of [USER, 'vnd.backstage.limited-user'])
    assert.equal(await issued.proves(await tokenOf({ typ })), true);
});

for (const [name, draft] of [
  ['signed by somebody else', () => ({ key: others })],
  ['of an unknown key', () => ({ kid: 'two' })],
  ['that is over', () => ({ claims: { exp: NOW - 1 } })],
  ['without a subject', () => ({ claims: { sub: undefined } })],
  ['that says not when it was issued', () => ({ claims: { iat: undefined } })],
] as const) {
  test(`a user token ${name} is refused as Backstage does`, async () => {
    await assert.rejects(issued.proves(await tokenOf(draft())), FAILED);
  });
}

test('one that nobody has signed is refused, too', async () => {
  const [, payload] = (await tokenOf({})).split('.');
  for (const header of [
    { typ: USER, alg: 'none' },
    { typ: USER, alg: 'HS256', kid: 'one' },
  ]) {
    const made = [Buffer.from(JSON.stringify(header)).toString('base64url'), payload, 'AAAA'].join('.');
    await assert.rejects(issued.proves(made), FAILED);
  }
});

test('what is no user token is for others to judge', async () => {
  for (const token of ['', 'not-a-jwt', 'e30.e30.x', await tokenOf({ typ: 'other', claims: { aud: 'else' } })]) {
    assert.equal(await issued.proves(token), false, token);
  }
});

test('without keys nobody passes who is to be refused', async () => {
  const away = new IssuedTokens({ getBaseUrl: async () => 'http://127.0.0.1:1' });
  await assert.rejects(away.proves(await tokenOf({})), FAILED);
});
