import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSession } from './sessionLoading';

/** Which sessions were looked for */
async function looksFor(subject: string) {
  const looked: unknown[] = [];
  const look = loadSession({ ensure: async (...asked) => void looked.push(asked) });
  const claims = { expires: 9, clients: [], appOnly: false, takesChallenges: false };
  await look({ subject, claims, proved: () => assert.fail('it need not be proved') });
  return looked;
}

for (const subject of ['user:default/olivia', 'pipeline:gitlab/payments-staging.42']) {
  test(`the session of ${subject} is loaded, and no older one than the token`, async () => {
    assert.deepEqual(await looksFor(subject), [[subject, { until: 9 }]]);
  });
}

for (const subject of [
  'olivia',
  'group:default/payments',
  'pipeline:gitlab/a/b',
  'user:default/',
  `user:default/${'x'.repeat(64)}`,
  'user:default/olivia\nuser:default/adam',
]) {
  test(`nothing is looked for: ${subject.slice(0, 60)}`, async () => assert.deepEqual(await looksFor(subject), []));
}
