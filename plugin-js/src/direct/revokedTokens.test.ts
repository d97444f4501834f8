import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endRevoked } from './revokedTokens';
import type { UserToken } from './userTokenHandler';

const claims = { issued: 7, expires: 9, clients: [], appOnly: false, takesChallenges: false };
const tokenOf = (proved: UserToken['proved']): UserToken => ({ subject: 'user:default/olivia', claims, proved });

test('whose token it is, when it was issued, and how to prove it', async () => {
  const proved = async () => true;
  const seen: unknown[] = [];
  await endRevoked({ refuseRevoked: async (...asked) => void seen.push(asked) })(tokenOf(proved));
  assert.deepEqual(seen, [['user:default/olivia', claims, proved]]);
});

test('a refusal is passed on', async () => {
  const look = endRevoked({ refuseRevoked: () => Promise.reject(new Error('principal_revoked')) });
  await assert.rejects(look(tokenOf(async () => true)), /principal_revoked/);
});
