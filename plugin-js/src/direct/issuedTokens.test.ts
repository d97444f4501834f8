import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type KeyLike } from 'jose';
import { RecordingLogger } from '../../e2e/support/logger';
import { Refusals } from '../service/refusal';
import { IssuedTokens } from './issuedTokens';

const FAILED = { name: 'AuthenticationError', message: 'Failed user token verification' };
const USER = 'vnd.backstage.user';
const NOW = Math.floor(Date.now() / 1000);

let keys: KeyLike;
let others: KeyLike;
let backend: Server;
let issued: IssuedTokens;
/** What the auth backend publishes, and how often it was asked */
let published: Array<Record<string, unknown>>;
let asked = 0;
const logger = new RecordingLogger();
const recorded: Array<Record<string, unknown>> = [];
const refusals = new Refusals(
  { require: async record => void recorded.push(record), countRefused: () => undefined },
  logger,
);

const provingAt = (base: () => string) =>
  new IssuedTokens({ discovery: { getBaseUrl: async plugin => `${base()}/api/${plugin}` }, logger, refusals });

before(async () => {
  const pair = await generateKeyPair('ES256');
  keys = pair.privateKey;
  others = (await generateKeyPair('ES256')).privateKey;
  published = [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }];
  backend = createServer((request, response) => {
    asked += 1;
    const found = request.url === '/api/auth/.well-known/jwks.json';
    response
      .writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve));
  issued = provingAt(address);
});
after(() => {
  backend.close();
  backend.closeAllConnections();
});

function address(): string {
  return `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
}

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

test('what failed is logged in the words of Backstage, and neither the token nor whose it says it is', async () => {
  logger.clear();
  const token = await tokenOf({ claims: { exp: NOW - 1 } });
  await assert.rejects(issued.proves(token), FAILED);
  assert.deepEqual(logger.lines, ['warn: Failed to verify incoming user token (ERR_JWT_EXPIRED)']);
});

test('a key that was published just now is found, and made-up ones do not have it looked for without end', async () => {
  const fresh = provingAt(address);
  assert.equal(await fresh.proves(await tokenOf({})), true);
  const pair = await generateKeyPair('ES256');
  published.push({ ...(await exportJWK(pair.publicKey)), kid: 'new', alg: 'ES256' });
  assert.equal(await fresh.proves(await tokenOf({ key: pair.privateKey, kid: 'new' })), true);
  asked = 0;
  for (let time = 0; time < 30; time += 1) {
    await assert.rejects(fresh.proves(await tokenOf({ kid: `made-up-${time}` })), FAILED);
  }
  assert.equal(asked, 9, 'ten a minute, with the one before');
  assert.equal(await fresh.proves(await tokenOf({})), true);
});

test('without keys nobody passes who is to be refused, and that says why under a reference', async () => {
  const ended = createServer((_, response) => response.writeHead(500).end());
  await new Promise<void>(resolve => ended.listen(0, '127.0.0.1', resolve));
  const { port } = ended.address() as AddressInfo;
  for (const base of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]) {
    recorded.length = 0;
    await assert.rejects(
      provingAt(() => base).proves(await tokenOf({})),
      (error: Error & { code?: string; reference?: string }) => {
        assert.deepEqual([error.name, error.code], ['ServiceUnavailableError', 'sign_in_unavailable']);
        assert.equal(recorded[0]?.['reference'], error.reference);
        return true;
      },
    );
    assert.equal(recorded.length, 1);
    assert.equal(recorded[0]?.['principal'], undefined);
    assert.doesNotMatch(JSON.stringify(recorded), /olivia/);
  }
  ended.close();
  ended.closeAllConnections();
});
