/** Answers are remembered, so whatever ends or changes somebody must be noticed all the same */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from './core';
import type { PrincipalHandle } from './types';

const REF = 'user:default/olivia';
const START = 1_800_000_000;
const IN_AN_HOUR = START + 3_600;
const ASKED = { name: 'a.b' };

let now: number;
let core: EntraCore;
beforeEach(() => {
  now = START * 1_000;
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  core = new EntraCore({ configuration: json, logger: new RecordingLogger(), clock: () => now });
  setRule({ principals: [{ group: groups.payments.id }] });
});
afterEach(() => core.close());

function setRule(rule: object, effect = 'allow'): void {
  core.setPolicy(JSON.stringify({ rules: [{ id: 'r', effect, permissions: ['a.b'], ...rule }] }), 'policy');
}

const member = () => recordOf({ groups: { state: 'known', ids: [groups.payments.id] } });

function admit(record = member(), expiresAt = IN_AN_HOUR): PrincipalHandle {
  const handle = core.admit(record, REF, expiresAt);
  assert.ok(handle !== undefined);
  return handle;
}

/** Asked twice: the second time it is remembered */
function effect(principal: PrincipalHandle): string {
  const first = core.decide(principal, ASKED);
  assert.deepEqual(core.decide(principal, ASKED), first);
  return first.effect;
}

test('until the session ends, to the second', () => {
  const olivia = admit();
  now = IN_AN_HOUR * 1_000 - 1;
  assert.equal(effect(olivia), 'ALLOW');
  now += 1;
  assert.deepEqual(
    { ...core.decide(olivia, ASKED) },
    { effect: 'DENY', dependence: undefined, rule: undefined, ground: 'unknownPrincipal' },
  );
});

test('until the sign-in is too old for a rule', () => {
  setRule({ requires: { signedInWithin: '10m' } });
  const olivia = admit({ ...member(), assurance: { signedInAt: START } } as never);
  assert.equal(effect(olivia), 'ALLOW');
  now += 599_000;
  assert.equal(effect(olivia), 'ALLOW');
  now += 2_000;
  assert.equal(effect(olivia), 'DENY');
});

test('until there is another policy, directory or list of roles', () => {
  const olivia = admit();
  assert.equal(effect(olivia), 'ALLOW');
  setRule({}, 'deny');
  assert.equal(effect(olivia), 'DENY');
  setRule({ principals: [{ group: groups.payments.id }] });
  assert.equal(effect(olivia), 'ALLOW');
  assert.ok(core.setDirectoryRoles([groups.payments.id]).ok);
  assert.equal(effect(olivia), 'DENY');
});

test('until the groups are known', () => {
  const olivia = admit(recordOf({ groups: { state: 'unknown', ids: [] } }));
  assert.equal(effect(olivia), 'DENY');
  assert.equal(core.completeGroups(olivia, [groups.payments.id]), true);
  assert.equal(effect(olivia), 'ALLOW');
});

test('until the caller is released, also when the place is taken again', () => {
  const olivia = admit();
  assert.equal(effect(olivia), 'ALLOW');
  core.release(olivia);
  assert.equal(effect(olivia), 'DENY');
  const other = admit(recordOf({ objectId: people.dana.oid, groups: { state: 'known', ids: [] } }));
  assert.equal(effect(other), 'DENY');
  assert.equal(effect(olivia), 'DENY');
});

test('never for somebody else whose handle is the same again', () => {
  const olivia = admit();
  assert.equal(effect(olivia), 'ALLOW');
  // The core's table releases each place at once, so every one of these takes the same.
  core.release(olivia);
  const nobody = recordOf({ objectId: people.dana.oid, groups: { state: 'known', ids: [] } });
  let handle = olivia;
  let rounds = 0;
  do {
    handle = admit(nobody);
    assert.equal(core.decide(handle, ASKED).effect, 'DENY');
    if (handle !== olivia) core.release(handle);
    rounds += 1;
  } while (handle !== olivia && rounds < 20_000);
  assert.equal(handle, olivia, `round again after ${rounds}`);
});
