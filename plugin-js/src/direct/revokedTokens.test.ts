import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { RevokedTokens } from './revokedTokens';

const tokenOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

/** Who was looked at after the inner handler had answered */
async function looksAt(token: string, answer?: Awaited<ReturnType<PluginTokenHandler['verifyToken']>>) {
  const seen: unknown[] = [];
  const inner: PluginTokenHandler = {
    async verifyToken() {
      seen.push('verified');
      return answer;
    },
    issueToken: async () => ({ token: 'issued' }),
  };
  const refuseRevoked = async (ref: string, { issued, expires }: { issued?: number; expires?: number }) =>
    void seen.push([ref, issued, expires]);
  assert.equal(await new RevokedTokens(inner, { refuseRevoked }).verifyToken(token), answer);
  assert.equal(seen.shift(), 'verified');
  return seen;
}

test("a user's own token, and one that another plugin brings for a user", async () => {
  const olivia = tokenOf({ sub: 'user:default/olivia', iat: 7, exp: 9 });
  assert.deepEqual(await looksAt(olivia), [['user:default/olivia', 7, 9]]);
  const answer = { subject: 'plugin:scaffolder', limitedUserToken: olivia };
  assert.deepEqual(await looksAt(tokenOf({ sub: 'scaffolder' }), answer), [['user:default/olivia', 7, 9]]);
});

test('a plugin for itself, and what is no token', async () => {
  assert.deepEqual(await looksAt(tokenOf({ sub: 'user:default/olivia' }), { subject: 'plugin:catalog' }), []);
  for (const token of ['', 'not-a-jwt', tokenOf({}), tokenOf({ sub: 7 })]) assert.deepEqual(await looksAt(token), []);
});

test('a refusal is passed on', async () => {
  const inner = { verifyToken: async () => undefined, issueToken: async () => ({ token: 'x' }) };
  const refusing = new RevokedTokens(inner, { refuseRevoked: () => Promise.reject(new Error('principal_revoked')) });
  await assert.rejects(refusing.verifyToken(tokenOf({ sub: 'user:default/olivia' })), /principal_revoked/);
});
