import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { backstageApi, backstageCli, workloads } from '../../dev/tenant/applications';
import { attackNames, forgeAttack } from '../../dev/tenant/attacks';
import { agents, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, issuerOf, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraAccess } from '../service/entraAccess';
import { DirectCalls } from './decorator';
import { UserTokens } from './userTokens';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const OLIVIA_REF = `user:default/${people.olivia.oid}`;

let tenant: Tenant;
let entraAccess: EntraAccess;
let authBackend: Server;
/** What the auth backend was asked, and what it will answer */
let asked: Array<{ url?: string; headers: IncomingHttpHeaders }>;
let answer: () => { status: number; body: unknown; headers?: Record<string, string> };
/** What the inner handler was shown */
let shown: string[];
let direct: DirectCalls;
let userTokens: UserTokens;

const logger = new RecordingLogger();

before(async () => {
  tenant = await startTenant();
  const json = configurationOf(tenant);
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, logger);
  authBackend = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    const { status, body, headers } = answer();
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>(resolve => authBackend.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  entraAccess.close();
  authBackend.close();
  await tenant.close();
});
beforeEach(() => {
  asked = [];
  shown = [];
  answer = () => ({ status: 200, body: { backstageIdentity: { token: backstageToken() } } });
  entraAccess.externalClients.clear();
  entraAccess.sessions.open(OLIVIA_REF, recordOf({ objectId: people.olivia.oid }), IN_AN_HOUR);
  userTokens = new UserTokens();
  direct = decorate();
});

function decorate(): DirectCalls {
  const { port } = authBackend.address() as AddressInfo;
  const discovery = { getBaseUrl: async (plugin: string) => `http://127.0.0.1:${port}/api/${plugin}` };
  const inner: PluginTokenHandler = {
    async verifyToken(token) {
      shown.push(token);
      return { subject: 'inner' };
    },
    async issueToken({ targetPluginId }) {
      return { token: `for ${targetPluginId}` };
    },
  };
  return new DirectCalls(inner, { entraAccess, discovery, userTokens });
}

function backstageToken(claims: object = { sub: OLIVIA_REF, exp: IN_AN_HOUR }): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
}

async function refused(token: string): Promise<{ name: string; code?: string; message: string }> {
  const error = await direct.verifyToken(token).then(
    result => assert.fail(`accepted: ${JSON.stringify(result)}`),
    (reason: Error & { code?: string }) => reason,
  );
  assert.deepEqual(shown, [], 'no other handler sees it');
  for (const part of token.split('.')) assert.ok(part.length < 9 || !error.message.includes(part), 'without the token');
  return error;
}

test('a caller becomes a user principal, by the client that got the token', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  assert.deepEqual(await direct.verifyToken(token), {
    subject: '',
    limitedUserToken: backstageToken(),
  });
  const [{ url, headers } = assert.fail()] = asked;
  assert.equal(url, '/api/auth/entra/refresh');
  assert.equal(headers['x-entra-access-direct'], token);
  assert.equal(headers.authorization, undefined);
  assert.deepEqual(shown, []);
});

test('tokens of both versions and of agents are taken', async () => {
  const v1 = tenant.mintAccessToken(people.olivia, { version: '1.0', audience: backstageApi.clientId });
  for (const token of [v1, tenant.mintAccessToken(agents.onBehalfOfOlivia), tenant.mintAccessToken(agents.agentUser)]) {
    assert.equal((await direct.verifyToken(token))?.limitedUserToken, backstageToken());
  }
  assert.deepEqual(shown, []);
});

for (const [name, token] of [
  ['a static token', 'not-a-jwt-but-long-enough-for-a-static-token'],
  ['an empty token', ''],
  ["Backstage's own token", backstageToken({ iss: 'http://127.0.0.1:7007/api/auth', sub: OLIVIA_REF })],
  ['dots', '.....'],
  ['a token that nobody could send', `e30.${'A'.repeat(70_000)}.x`],
] as const) {
  test(`${name} passes to the inner handler as it is`, async () => {
    assert.deepEqual(await direct.verifyToken(token), { subject: 'inner' });
    assert.deepEqual(shown, [token]);
    assert.deepEqual(asked, []);
  });
}

test('an issuer that only looks like ours is not ours', async () => {
  const issuer = issuerOf(entraAccess.core).issuer;
  for (const iss of [
    `${issuer}/`,
    issuer.toUpperCase(),
    issuer.replace('127.0.0.1', 'localhost'),
    `${issuer}\0`,
    `${issuer}.attacker.example`,
    issuer.replace(tenant.tenantId, '{tenantid}'),
    issuer.replace(tenant.tenantId, tenant.foreign.tenantId),
  ]) {
    const token = tenant.mintAccessToken(people.olivia, { claims: { iss } });
    assert.deepEqual(await direct.verifyToken(token), { subject: 'inner' }, iss);
  }
  assert.deepEqual(asked, []);
});

test('tokens for other plugins are issued as before', async () => {
  assert.deepEqual(await direct.issueToken({ pluginId: 'a', targetPluginId: 'catalog' }), { token: 'for catalog' });
});

/** Attacks whose issuer is not ours or cannot be read: others judge them */
const NOT_OURS = ['foreign-tenant', 'other-issuer', 'issuer-template', 'huge', 'jwe', 'payload-array'];

for (const name of attackNames) {
  test(`attack: ${name}`, async () => {
    const { token, expect } = forgeAttack(tenant, name);
    const result = await direct.verifyToken(token).catch((error: { code?: string }) => error);
    if ('subject' in (result ?? {})) {
      assert.deepEqual(result, { subject: 'inner' });
      assert.ok(NOT_OURS.includes(name), `${name} was left to others`);
    } else {
      assert.equal((result as { code?: string }).code, expect);
      assert.deepEqual(shown, [], 'no other handler sees it');
    }
    assert.deepEqual(asked, [], 'the auth backend is not asked');
  });
}

test('a token of ours that is too large is refused, not passed on', async () => {
  const token = tenant.mintAccessToken(people.olivia, { claims: { padding: 'x'.repeat(30_000) } });
  assert.ok(token.length > 32 * 1024 && token.length < 64 * 1024);
  assert.equal((await refused(token)).code, 'token_too_large');
});

test('fifty calls at once are one exchange, and all later ones none', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  await Promise.all(Array.from({ length: 50 }, () => direct.verifyToken(token)));
  await direct.verifyToken(token);
  // Another plugin of the same backend.
  await decorate().verifyToken(token);
  assert.equal(asked.length, 1);
});

test('a token that expires after it was exchanged is refused from then on', async () => {
  // Five minutes are forgiven for slow clocks.
  const now = Math.floor(Date.now() / 1000);
  const token = tenant.mintAccessToken(people.olivia, { claims: { exp: now - 300 + 2 } });
  assert.ok(await direct.verifyToken(token));
  while (Date.now() / 1000 < now + 2) await new Promise(resolve => setTimeout(resolve, 100));
  assert.equal((await refused(token)).code, 'token_expired');
  assert.ok(!userTokens.has(token), 'forgotten');
  assert.equal(asked.length, 1);
});

test('a token whose key is withdrawn is refused at once', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  assert.ok(await direct.verifyToken(token));
  await tenant.rollKeys({ overlap: false });
  const keys = await (await fetch(`${tenant.home.base}/discovery/v2.0/keys`)).text();
  assert.ok(entraAccess.core.setKeys(issuerOf(entraAccess.core), keys).ok);
  assert.equal((await refused(token)).code, 'key_unknown');
  assert.ok(!userTokens.has(token), 'forgotten');
  assert.ok(await direct.verifyToken(tenant.mintAccessToken(people.olivia)), 'the new key is known');
});

test('a changed token does not profit from the one that was exchanged', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  await direct.verifyToken(token);
  const [header, payload, signature = ''] = token.split('.');
  const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  assert.equal((await refused(changed)).code, 'signature_invalid');
});

test('a call does not wait for groups: they are asked for where the caller is signed in', async context => {
  context.mock.method(entraAccess, 'authenticate', () => assert.fail('groups were asked for'));
  assert.ok(await direct.verifyToken(tenant.mintAccessToken(people.otto)));
});

test('a lost session is opened again', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  const entries = new UserTokens({ clock: () => at });
  let at = Date.now();
  userTokens = entries;
  direct = decorate();
  await direct.verifyToken(token);
  at += 11_000;
  entraAccess.sessions.open(OLIVIA_REF, recordOf({ objectId: people.olivia.oid }), 1);
  answer = () => {
    entraAccess.sessions.open(OLIVIA_REF, recordOf({ objectId: people.olivia.oid }), IN_AN_HOUR);
    return { status: 200, body: { backstageIdentity: { token: backstageToken() } } };
  };
  await direct.verifyToken(token);
  await direct.verifyToken(token);
  assert.equal(asked.length, 2);
});

test('app-only tokens of clients of the external token handler pass; what else comes through these clients does not', async () => {
  entraAccess.externalClients.add(workloads.scanner.clientId).add(backstageCli.clientId);
  for (const version of ['2.0', '1.0'] as const) {
    const token = tenant.mintAccessToken(workloads.scanner, { version });
    assert.deepEqual(await direct.verifyToken(token), { subject: 'inner' });
  }
  shown = [];
  // A person who uses the same client.
  assert.equal((await direct.verifyToken(tenant.mintAccessToken(people.olivia)))?.limitedUserToken, backstageToken());
  assert.equal((await refused(tenant.mintAccessToken(workloads.stranger))).code, 'client_not_allowed');
});

// ---- what the auth backend may say

for (const [name, status, body, expected] of [
  ['refuses', 401, { error: { message: 'x: y', code: 'token_expired' } }, ['AuthenticationError', 'token_expired']],
  [
    'sees a conflict',
    409,
    { error: { message: 'taken', code: 'principal_conflict' } },
    ['AuthenticationError', 'principal_conflict'],
  ],
  ['refuses without a code', 403, { error: { message: 'no' } }, ['AuthenticationError', 'sign_in_incomplete']],
  ['knows no provider', 404, { error: { message: 'x' } }, ['ServiceUnavailableError', 'sign_in_unavailable']],
  [
    'cannot say who it is',
    503,
    { error: { message: 'the catalog is away', code: 'core_unavailable' } },
    ['ServiceUnavailableError', 'core_unavailable'],
  ],
  ['is away', 503, { error: { message: 'x' } }, ['ServiceUnavailableError', 'sign_in_unavailable']],
  [
    'is away with a code of something else',
    503,
    { error: { message: 'x', code: 'ECONNREFUSED' } },
    ['ServiceUnavailableError', 'sign_in_unavailable'],
  ],
  ['has too much to do', 429, { error: { message: 'x' } }, ['ServiceUnavailableError', 'sign_in_unavailable']],
  ['fails', 500, { error: { message: 'x', code: 'y' } }, ['ServiceUnavailableError', 'sign_in_unavailable']],
  [
    'refuses an entity that is not there',
    404,
    { error: { message: 'x', code: 'sign_in_incomplete', reference: '0123456789' } },
    ['AuthenticationError', 'sign_in_incomplete'],
  ],
  ['redirects', 302, {}, ['ServiceUnavailableError', 'sign_in_unavailable']],
  ['answers something else', 200, { token: 'x' }, ['ServiceUnavailableError', 'sign_in_unavailable']],
  ['answers text', 400, 'text', ['ServiceUnavailableError', 'sign_in_unavailable']],
] as Array<[string, number, unknown, [string, string]]>) {
  test(`where the auth backend ${name}, so do we, and keep nothing`, async () => {
    answer = () => ({ status, body, headers: { location: `${tenant.authority}/somewhere` } });
    const token = tenant.mintAccessToken(people.olivia);
    const { name: error, code } = await refused(token);
    assert.deepEqual([error, code], expected);
    assert.ok(!userTokens.has(token));
    assert.equal(tenant.requests.unknown, 0, 'a token is never sent elsewhere');
  });
}

for (const status of [401, 403, 404, 500, 502, 503]) {
  test(`a refusal with ${status} that the auth backend has recorded is recorded once, under the reference that is shown`, async context => {
    const recorded = context.mock.method(entraAccess.audit, 'require', async () => undefined);
    const error = { message: 'it does not work (reference 0123456789)', reference: '0123456789' };
    answer = () => ({ status, body: { error } });
    const { message, reference } = (await refused(tenant.mintAccessToken(people.olivia))) as any;
    assert.deepEqual([message, reference, recorded.mock.callCount()], [error.message, error.reference, 0]);
  });
}

for (const claims of [
  {},
  { sub: OLIVIA_REF },
  { exp: IN_AN_HOUR },
  { sub: 7, exp: IN_AN_HOUR },
  { sub: OLIVIA_REF, exp: 'x' },
]) {
  test(`a Backstage token with ${JSON.stringify(claims)} is not handed on`, async () => {
    answer = () => ({ status: 200, body: { backstageIdentity: { token: backstageToken(claims) } } });
    assert.equal((await refused(tenant.mintAccessToken(people.olivia))).code, 'sign_in_incomplete');
  });
}

test('nothing of a token is logged', () => {
  assert.deepEqual(
    logger.lines.filter(line => /eyJ/.test(line)),
    [],
  );
});
