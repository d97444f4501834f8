import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingLogger } from '../../e2e/support/logger';
import { ConfigurationError } from '../core';
import { readBreakGlass, withPeople } from './breakGlass';
import { BreakGlassUse } from './breakGlassUse';

const TENANT = '11111111-2222-3333-4444-555555555555';
const ADA = 'AAAAAAAA-0000-4000-8000-000000000001';
const BOB = 'aaaaaaaa-0000-4000-8000-000000000002';
const entry = (change: object = {}) => ({ name: 'night-shift', principal: `${TENANT}/${ADA}`, ...change });
const section = (breakGlass: unknown, change: object = {}) => ({
  tenants: [{ tenantId: TENANT }],
  groups: { source: 'graph' },
  breakGlass,
  ...change,
});

test('entries are read, and the core is told who it is', () => {
  assert.deepEqual(readBreakGlass({}), []);
  assert.deepEqual(withPeople({ a: 1 }, []), { a: 1 });
  const both = section([entry({ reason: 'drill' }), entry({ name: 'b', principal: `${TENANT}/${BOB}` })]);
  const entries = readBreakGlass(both);
  assert.deepEqual(entries[0], {
    name: 'night-shift',
    tenantId: TENANT,
    objectId: ADA.toLowerCase(),
    reason: 'drill',
  });
  assert.deepEqual((withPeople(both, entries) as any).breakGlass, [TENANT, ADA.toLowerCase(), TENANT, BOB]);
});

test('every mistake is named with its place', () => {
  for (const [wrong, says] of [
    [section('ada'), 'entraAccess.breakGlass: this must be a list'],
    [section([entry({ name: '' })]), 'entraAccess.breakGlass[0].name: '],
    [section([entry({ name: 'a b' })]), 'entraAccess.breakGlass[0].name: '],
    [section([entry({ principal: 'user:default/ada' })]), 'entraAccess.breakGlass[0].principal: this must be'],
    [section([entry({ principal: ADA })]), 'entraAccess.breakGlass[0].principal: this must be'],
    [section([entry({ group: ADA })]), 'entraAccess.breakGlass[0]: '],
    [section([{ name: 'x' }]), 'entraAccess.breakGlass[0].principal: '],
    [section([entry(), entry({ name: 'b' })]), 'entraAccess.breakGlass[1].principal: this person is listed twice'],
    [
      section([entry(), entry({ principal: `${TENANT}/${BOB}` })]),
      'entraAccess.breakGlass[1].name: this name is taken',
    ],
    [section([entry({ principal: `${BOB}/${ADA}` })]), 'entraAccess.breakGlass[0].principal: the tenant is not listed'],
    [section([entry()], { groups: {} }), 'entraAccess.breakGlass: groups come with the tokens'],
    [section(Array.from({ length: 17 }, () => entry())), 'entraAccess.breakGlass: more than 16'],
  ] as const) {
    assert.throws(
      () => readBreakGlass(wrong),
      (error: unknown) => error instanceof ConfigurationError && error.message.startsWith(says),
      says,
    );
  }
});

test('each use is counted, and the log tells of an entry once in a minute', () => {
  const logger = new RecordingLogger();
  let now = 1_000_000;
  const use = new BreakGlassUse(readBreakGlass(section([entry({ reason: 'drill' })])), logger, () => now);
  const ada = { tenantId: TENANT, objectId: ADA.toLowerCase() };
  for (let at = 0; at < 5; at += 1) assert.equal(use.used(ada, 'x.y'), 'break_glass: entry `night-shift`: drill');
  assert.deepEqual(logger.complaints.length, 1);
  now += 60_000;
  use.used(ada, 'x.y');
  assert.match(logger.complaints[1] ?? '', /night-shift allows x\.y .*used 6 times/);
  assert.deepEqual(use.states, [{ name: 'night-shift', uses: 6, lastUse: now }]);
});
