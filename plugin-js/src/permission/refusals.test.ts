/** Who is refused without any rule: nobody, who is signed in no longer, and everybody while the core is away */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { AuthorizeResult, createPermission } from '@backstage/plugin-permission-common';
import type { PolicyQueryUser } from '@backstage/plugin-permission-node';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, DIRECTORY, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { createOwnershipRules } from '../catalog/ownershipRules';
import { EntraAccess } from '../service/entraAccess';
import { EntraPermissionPolicy } from './policy';

const EXPIRES = 1_900_000_000;
const OLIVIA = `user:default/${people.olivia.oid}`;
const DENY = { result: AuthorizeResult.DENY };
const resourceType = 'catalog-entity';
const readPermission = createPermission({ name: 'catalog.entity.read', attributes: { action: 'read' }, resourceType });
const deletePermission = createPermission({
  name: 'catalog.entity.delete',
  attributes: { action: 'delete' },
  resourceType,
});
const ENTITY = {
  apiVersion: 'v1',
  kind: 'Component',
  metadata: { name: 'x' },
  relations: [{ type: 'ownedBy', targetRef: 'group:default/payments' }],
};

const logger = new RecordingLogger();
let entraAccess: EntraAccess;
let policy: EntraPermissionPolicy;
beforeEach(t => {
  logger.clear();
  // Before anything is made: it takes the clock that it finds.
  (t as import('node:test').TestContext).mock.timers.enable({ apis: ['Date'], now: (EXPIRES - 3600) * 1000 });
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  assert.ok(entraAccess.core.setDirectory(DIRECTORY).ok);
  const known = { state: 'known' as const, ids: [groups.payments.id] };
  entraAccess.sessions.open(OLIVIA, recordOf({ objectId: people.olivia.oid, groups: known }), EXPIRES);
  policy = new EntraPermissionPolicy(entraAccess, logger);
});
afterEach(() => entraAccess.close());

function ask(permission: typeof readPermission, userEntityRef?: string) {
  const user = userEntityRef && { credentials: { principal: { type: 'user', userEntityRef } } };
  return policy.handle({ permission }, (user || undefined) as PolicyQueryUser | undefined);
}

test('a request without a user is refused, and the log says why', async () => {
  for (const permission of [readPermission, deletePermission]) assert.deepEqual(await ask(permission), DENY);
  assert.deepEqual(logger.lines, [
    'debug: catalog.entity.read is denied: the request is not authenticated',
    'debug: catalog.entity.delete is denied: the request is not authenticated',
  ]);
});

test('a sign-in that has ended is refused from that second on, by policy and rules', async t => {
  const [owned, notOwned] = createOwnershipRules(entraAccess);
  const params = { principal: OLIVIA, ...entraAccess.versionOf(OLIVIA) };
  assert.equal((await ask(deletePermission, OLIVIA)).result, AuthorizeResult.CONDITIONAL);
  assert.equal((await ask(readPermission, OLIVIA)).result, AuthorizeResult.ALLOW);
  assert.equal(owned!.apply(ENTITY, params), true);
  const setTime = async (seconds: number) => {
    t.mock.timers.setTime(seconds * 1000);
    // The time is read once in a turn of JavaScript.
    await Promise.resolve();
  };
  await setTime(EXPIRES - 1);
  assert.equal((await ask(readPermission, OLIVIA)).result, AuthorizeResult.ALLOW);
  assert.equal(owned!.apply(ENTITY, params), true);
  await setTime(EXPIRES);
  for (const permission of [readPermission, deletePermission]) assert.deepEqual(await ask(permission, OLIVIA), DENY);
  for (const rule of [owned!, notOwned!]) {
    assert.equal(rule.apply(ENTITY, params), false);
    assert.deepEqual(rule.toQuery(params), { key: 'relations.ownedBy', values: [] });
  }
  assert.match(
    logger.lines.at(-1)!,
    /catalog\.entity\.delete is denied: the caller is not signed in .*, or no longer$/,
  );
});

test('while the core is being restarted everything is refused, by policy and rules', async t => {
  const [owned, notOwned] = createOwnershipRules(entraAccess);
  const params = { principal: OLIVIA, ...entraAccess.versionOf(OLIVIA) };
  assert.equal(owned!.apply(ENTITY, params), true);
  // What the core says then is tested where it really traps: core/core.test.ts.
  t.mock.method(entraAccess.core, 'decide', () => ({ effect: 'DENY', ground: 'coreUnavailable' }));
  t.mock.getter(entraAccess.core, 'available', () => false);
  for (const permission of [readPermission, deletePermission]) assert.deepEqual(await ask(permission, OLIVIA), DENY);
  assert.match(logger.lines.at(-1)!, /catalog\.entity\.delete is denied: the core is being restarted$/);
  for (const rule of [owned!, notOwned!]) {
    assert.equal(rule.apply(ENTITY, params), false, 'also what was looked up before');
    assert.deepEqual(rule.toQuery(params), { key: 'relations.ownedBy', values: [] });
  }
});
