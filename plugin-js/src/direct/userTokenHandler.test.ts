/** The one reading of a user token, who gets to see it, and when it is proved */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { unverifiedClaims } from '../service/unverified';
import { UserTokenHandler, type Look } from './userTokenHandler';

type Answer = Awaited<ReturnType<PluginTokenHandler['verifyToken']>>;

const tokenOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const OLIVIA = tokenOf({ sub: 'user:default/olivia', iat: 7, exp: 9 });

/** What was done, in its order */
async function steps(token: string, answer?: Answer, asksForProof = false) {
  const done: unknown[] = [];
  const inner: PluginTokenHandler = {
    async verifyToken() {
      done.push('verified');
      return answer;
    },
    issueToken: async () => ({ token: 'issued' }),
  };
  const look =
    (name: string): Look =>
    async ({ subject, claims, proved }) => {
      done.push([name, subject, claims.issued, claims.expires]);
      if (asksForProof) done.push(await proved());
    };
  const issued = { proves: async (shown: string) => (done.push(`proves ${shown === token}`), true) };
  const handler = new UserTokenHandler(inner, issued, [look('one'), look('other')]);
  assert.equal(await handler.verifyToken(token), answer);
  return done;
}

test("a user's own token, and one that another plugin brings for a user, are looked at once they were let pass", async () => {
  const looks = ['one', 'other'].map(name => [name, 'user:default/olivia', 7, 9]);
  assert.deepEqual(await steps(OLIVIA), ['verified', ...looks]);
  const answer = { subject: 'plugin:scaffolder', limitedUserToken: OLIVIA };
  assert.deepEqual(await steps(tokenOf({ sub: 'scaffolder' }), answer), ['verified', ...looks]);
});

test('nobody is asked for a proof unless it is needed, and another plugin is one', async () => {
  const own = await steps(OLIVIA, undefined, true);
  assert.deepEqual(own.slice(2, 4), ['proves true', true]);
  const brought = await steps('a plugin token', { subject: 'plugin:x', limitedUserToken: OLIVIA }, true);
  assert.deepEqual(
    brought.filter(step => typeof step !== 'object'),
    ['verified', true, true],
  );
});

test('a plugin for itself, and what is no token, are not looked at', async () => {
  assert.deepEqual(await steps(OLIVIA, { subject: 'plugin:catalog' }), ['verified']);
  for (const token of ['', 'not-a-jwt', tokenOf({}), tokenOf({ sub: 7 })]) {
    assert.deepEqual(await steps(token), ['verified'], token);
  }
});

test('what was read before is not read again', async () => {
  const seen: string[] = [];
  const inner = { verifyToken: async () => undefined, issueToken: async () => ({ token: 'x' }) };
  const look: Look = async ({ subject }) => void seen.push(subject);
  const handler = new UserTokenHandler(inner, { proves: async () => true }, [look]);
  await handler.verifyToken('not read', unverifiedClaims(OLIVIA));
  assert.deepEqual(seen, ['user:default/olivia']);
});

test('a refusal of the inner handler and of a look is passed on, and what follows is not asked', async () => {
  const refused = { verifyToken: () => Promise.reject(new Error('refused')), issueToken: async () => ({ token: 'x' }) };
  const nobody: Look = () => assert.fail('looked');
  const proves = async () => true;
  await assert.rejects(new UserTokenHandler(refused, { proves }, [nobody]).verifyToken(OLIVIA), /refused/);
  const passes = { ...refused, verifyToken: async () => undefined };
  const no: Look = () => Promise.reject(new Error('no'));
  const handler = new UserTokenHandler(passes, { proves }, [no, nobody]);
  await assert.rejects(handler.verifyToken(OLIVIA), /no/);
  assert.deepEqual(await handler.issueToken({ pluginId: 'a', targetPluginId: 'b' }), { token: 'x' });
});
