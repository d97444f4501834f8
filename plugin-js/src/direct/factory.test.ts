import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { configurationOf, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraAccess } from '../service/entraAccess';
import { directCallsWith } from './factory';
import { UserTokens } from './userTokens';

type Decorate = (inner: PluginTokenHandler) => PluginTokenHandler;
type Decorated = { factory(deps: object, context: UserTokens): Promise<Decorate> };

test('where pipelines are configured no longer, or not in this process, their Backstage tokens still end early', async t => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  t.after(() => entraAccess.close());
  assert.ok(!entraAccess.core.issuers.some(({ pipeline }) => pipeline));
  // Brought by another plugin, and so proved.
  const answerOf = (token: string) => ({ subject: 'plugin:scaffolder', limitedUserToken: token });
  const inner = { verifyToken: async (token: string) => answerOf(token) } as unknown as PluginTokenHandler;
  const { factory } = directCallsWith(handler => handler) as unknown as Decorated;
  const handler = (await factory({ entraAccess, discovery: {}, logger: new RecordingLogger() }, new UserTokens()))(
    inner,
  );
  const now = Math.floor(Date.now() / 1000);
  const tokenOf = (sub: string, iat: number) =>
    `x.${Buffer.from(JSON.stringify({ sub, iat, exp: iat + 3600 })).toString('base64url')}.x`;
  const jane = tokenOf('user:default/jane', now - 700);
  assert.deepEqual(await handler.verifyToken(jane), answerOf(jane));
  const job = 'pipeline:gitlab/staging.42';
  await assert.rejects(handler.verifyToken(tokenOf(job, now - 700)), { code: 'token_expired' });
  await assert.rejects(handler.verifyToken(tokenOf(job, now)), { code: 'not_signed_in' });
});
