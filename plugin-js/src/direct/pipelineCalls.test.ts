/** Direct calls of jobs: what is kept for them, for how long, and what never is */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, mock, test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { pipelineOf, pipelinesOf } from '../../dev/ci/trust';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, jobRecordOf, POLICY } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraAccess } from '../service/entraAccess';
import { UNTIL_CLAIM } from '../service/pipelineLife';
import { DirectCalls } from './decorator';
import { UserTokens } from './userTokens';

const REF = 'pipeline:gitlab/payments-staging.42';

let tenant: Tenant;
let entraAccess: EntraAccess;
let authBackend: Server;
/** How often the auth backend was asked, and the claims of what it gives out */
let asked: number;
let claims: () => object;
let refuses: object | undefined;
let userTokens: UserTokens;
let direct: DirectCalls;

const now = () => Math.floor(Date.now() / 1000);

before(async () => {
  tenant = await startTenant();
  const { ci } = tenant;
  const json = JSON.stringify({
    ...JSON.parse(configurationOf(tenant)),
    pipelines: [...pipelinesOf(ci), pipelineOf(ci, 'githubServer', 'server', ['staging'])],
  });
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  authBackend = createServer((_, response) => {
    asked += 1;
    const token = `e30.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.${asked}`;
    const body = refuses ?? { backstageIdentity: { token } };
    response.writeHead(refuses ? 401 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>(resolve => authBackend.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  entraAccess.close();
  authBackend.close();
  await tenant.close();
});
beforeEach(() => {
  asked = 0;
  refuses = undefined;
  claims = () => ({ sub: REF, iat: now(), exp: now() + 3600, [UNTIL_CLAIM]: now() + 360 });
  entraAccess.sessions.open(REF, jobRecordOf(), now() + 600);
  userTokens = new UserTokens();
  const { port } = authBackend.address() as AddressInfo;
  const inner: PluginTokenHandler = {
    verifyToken: () => assert.fail('another handler sees a token of ours'),
    issueToken: async () => ({ token: 'issued' }),
  };
  const discovery = { getBaseUrl: async (plugin: string) => `http://127.0.0.1:${port}/api/${plugin}` };
  direct = new DirectCalls(inner, { entraAccess, discovery, userTokens });
});

test('a job is exchanged once, and nobody acts for it', async () => {
  const token = tenant.ci.mint('bitbucket-staging');
  const first = await direct.verifyToken(token);
  assert.equal(first?.subject, '', 'nobody acts for it');
  assert.deepEqual(await direct.verifyToken(token), first);
  assert.deepEqual([asked, userTokens.size], [1, 1]);
});

test('a single-use token is exchanged at every call, and nothing is kept for it', async () => {
  const token = tenant.ci.mint('gitlab-staging');
  const first = await direct.verifyToken(token);
  const second = await direct.verifyToken(token);
  assert.notEqual(first?.limitedUserToken, second?.limitedUserToken);
  assert.deepEqual([asked, userTokens.size], [2, 0]);
});

test('that it was used before is what the auth backend says', async () => {
  refuses = { error: { message: 'token_replayed: used before', code: 'token_replayed' } };
  const refused = direct.verifyToken(tenant.ci.mint('gitlab-staging'));
  await assert.rejects(refused, { name: 'AuthenticationError', code: 'token_replayed' });
});

test('without a sign-in that is known here a single-use token brings nothing', async () => {
  claims = () => ({ sub: 'pipeline:gitlab/unknown.42', iat: now(), exp: now() + 3600 });
  await assert.rejects(direct.verifyToken(tenant.ci.mint('gitlab-staging')), { code: 'sign_in_incomplete' });
});

test('a job that runs for long is exchanged again before the ten minutes are over', async () => {
  const issued = now() - 541;
  claims = () => ({ sub: REF, iat: issued, exp: issued + 3600 });
  const token = tenant.ci.mint('bitbucket-staging');
  await direct.verifyToken(token);
  claims = () => ({ sub: REF, iat: now(), exp: now() + 3600 });
  await direct.verifyToken(token);
  await direct.verifyToken(token);
  assert.equal(asked, 2);
});

test('one that is about to end is not exchanged at every call for that', async () => {
  // Ends in 50 s, which is less than what other tokens are renewed ahead.
  const token = tenant.ci.mint('github-server', { now: now() - 60, lifetime: 50 });
  const handle = await entraAccess.verify(token);
  const end = entraAccess.core.describe(handle)!.expiresAt;
  assert.ok(end - now() <= 50);
  claims = () => ({ sub: REF, iat: now(), exp: now() + 3600, [UNTIL_CLAIM]: end });
  await direct.verifyToken(token);
  await direct.verifyToken(token);
  assert.equal(asked, 1);
});

test('a token that is refused by now leaves nothing behind', async () => {
  const token = tenant.ci.mint('bitbucket-staging');
  await direct.verifyToken(token);
  const verify = mock.method(entraAccess, 'verify', () => Promise.reject(new Error('refused')));
  await assert.rejects(direct.verifyToken(token), /refused/);
  verify.mock.restore();
  assert.equal(userTokens.size, 0);
});

for (const job of ['gitlab-fork', 'bitbucket-branch', 'github-pull-request'] as const) {
  test(`${job} is refused here, and the auth backend is not asked`, async () => {
    await assert.rejects(direct.verifyToken(tenant.ci.mint(job)), { code: 'pipeline_untrusted' });
    assert.equal(asked, 0);
  });
}
