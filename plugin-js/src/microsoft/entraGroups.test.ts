import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf } from '../../e2e/support/core';
import type { Identities } from '../auth/identity';
import { RecordingLogger } from '../../e2e/support/logger';
import { Refusals } from '../service/refusal';
import type { EntraAccess } from '../service/entraAccess';
import { entraGroups } from './entraGroups';

test('an ID token for another client is refused, and the refusal recorded', async () => {
  const said: Array<Record<string, unknown>> = [];
  const audit = {
    require: async (record: Record<string, unknown>) => void said.push(record),
    countRefused: () => undefined,
  };
  const refusals = new Refusals(audit, new RecordingLogger());
  const entraAccess = {
    core: { describe: () => recordOf({ clientId: 'another' }) },
    authenticate: async () => 1,
    refuse: refusals.refuse.bind(refusals),
  } as unknown as EntraAccess;
  const resolver = entraGroups(entraAccess, {} as Identities, new Set(['ours']))();
  const info = { result: { session: { idToken: 'e30.e30.x' } } } as Parameters<typeof resolver>[0];
  await assert.rejects(resolver(info, {} as Parameters<typeof resolver>[1]), { code: 'audience_mismatch' });
  assert.deepEqual(
    said.map(({ event, result, code, client }) => [event, result, code, client]),
    [['token-refused', 'DENY', 'audience_mismatch', 'another']],
  );
});
