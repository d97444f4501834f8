import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { SessionLoading } from './sessionLoading';

const tokenOf = (sub: unknown) => `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x`;

/** Which sessions were looked for after the inner handler had answered */
async function looksFor(token: string, answer?: Awaited<ReturnType<PluginTokenHandler['verifyToken']>>) {
  const steps: string[] = [];
  const inner: PluginTokenHandler = {
    async verifyToken(shown) {
      assert.equal(shown, token);
      steps.push('verified');
      return answer;
    },
    issueToken: async () => ({ token: 'issued' }),
  };
  const sessions = { ensure: async (entityRef: string) => void steps.push(entityRef) };
  assert.equal(await new SessionLoading(inner, sessions).verifyToken(token), answer);
  assert.equal(steps.shift(), 'verified');
  return steps;
}

test("a user's own token has the session loaded", async () => {
  assert.deepEqual(await looksFor(tokenOf('user:default/olivia')), ['user:default/olivia']);
});

test('so has the token that another plugin brings for a user', async () => {
  const answer = { subject: 'plugin:scaffolder', limitedUserToken: tokenOf('user:default/olivia') };
  assert.deepEqual(await looksFor(tokenOf('scaffolder'), answer), ['user:default/olivia']);
});

test('and that of a pipeline', async () => {
  const sub = 'pipeline:gitlab/payments-staging.42';
  assert.deepEqual(await looksFor(tokenOf(sub)), [sub]);
});

test('a plugin that acts for itself has none', async () => {
  assert.deepEqual(await looksFor(tokenOf('user:default/olivia'), { subject: 'plugin:catalog' }), []);
});

for (const token of [
  'not-a-jwt-but-long-enough-for-a-static-token',
  '',
  tokenOf(undefined),
  tokenOf(7),
  tokenOf('olivia'),
  tokenOf('group:default/payments'),
  tokenOf('pipeline:gitlab/a/b'),
  tokenOf('user:default/'),
  tokenOf(`user:default/${'x'.repeat(64)}`),
  tokenOf('user:default/olivia\nuser:default/adam'),
]) {
  test(`nothing is looked for: ${token.slice(0, 60)}`, async () => assert.deepEqual(await looksFor(token), []));
}

test('a refusal of the inner handler is passed on', async () => {
  const inner = { verifyToken: () => Promise.reject(new Error('refused')), issueToken: async () => ({ token: 'x' }) };
  const loading = new SessionLoading(inner, { ensure: () => assert.fail('looked for') });
  await assert.rejects(loading.verifyToken(tokenOf('user:default/olivia')), /refused/);
  assert.deepEqual(await loading.issueToken({ pluginId: 'a', targetPluginId: 'b' }), { token: 'x' });
});
