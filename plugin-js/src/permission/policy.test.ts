import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AuthorizeResult,
  createPermission,
  type Permission,
  type PolicyDecision,
} from '@backstage/plugin-permission-common';
import type { PolicyQueryUser } from '@backstage/plugin-permission-node';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, DIRECTORY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { RULES } from '../catalog/ownershipRules';
import { paramsSchema } from '../catalog/paramsSchema';
import { EntraAccess } from '../service/entraAccess';
import { EntraPermissionPolicy, permissionInput } from './policy';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const REFS = {
  one: `user:default/${people.olivia.oid}`,
  many: `user:default/${people.dana.oid}`,
  admin: `user:default/${people.adam.oid}`,
  nobody: `user:default/${people.greg.oid}`,
};
const RULES_OF_POLICY = [
  { id: 'owners', effect: 'allow', permissions: ['catalog.entity.delete'], when: { owned: true } },
  { id: 'all-read', effect: 'allow', permissions: ['catalog.entity.read'] },
  { id: 'not-their-own', effect: 'deny', permissions: ['catalog.entity.read'], when: { owned: true } },
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
];
const resourceType = 'catalog-entity';
const readPermission = createPermission({ name: 'catalog.entity.read', attributes: { action: 'read' }, resourceType });
const deletePermission = createPermission({
  name: 'catalog.entity.delete',
  attributes: { action: 'delete' },
  resourceType,
});
const createEntityPermission = createPermission({ name: 'catalog.entity.create', attributes: { action: 'create' } });

let entraAccess: EntraAccess;
let policy: EntraPermissionPolicy;
before(() => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const rules = JSON.stringify({ rules: RULES_OF_POLICY });
  entraAccess = new EntraAccess({ json, policy: { json: rules, place: 'policy' } }, new RecordingLogger());
  entraAccess.core.setDirectory(DIRECTORY);
  const open = (ref: string, objectId: string, ids: string[]) =>
    entraAccess.sessions.open(ref, recordOf({ objectId, groups: { state: 'known', ids } }), IN_AN_HOUR);
  open(REFS.one, people.olivia.oid, [groups.payments.id]);
  const many = Array.from({ length: 200 }, (_, at) => `0f9e0000-0000-4000-8000-${String(at).padStart(12, '0')}`);
  open(REFS.many, people.dana.oid, many);
  open(REFS.admin, people.adam.oid, [groups.platformAdmins.id]);
  policy = new EntraPermissionPolicy(entraAccess);
});
after(() => entraAccess.close());

function decide(permission: Permission, userEntityRef?: string): Promise<PolicyDecision> {
  const user = userEntityRef && { credentials: { principal: { type: 'user', userEntityRef } } };
  return policy.handle({ permission }, (user || undefined) as PolicyQueryUser | undefined);
}

test('an admin is allowed, nobody is denied, and so is who is not known', async () => {
  assert.deepEqual(await decide(deletePermission, REFS.admin), { result: AuthorizeResult.ALLOW });
  for (const user of [undefined, REFS.nobody, '', 'nonsense', '__proto__']) {
    assert.deepEqual(await decide(deletePermission, user), { result: AuthorizeResult.DENY }, String(user));
  }
  assert.deepEqual(await decide(createEntityPermission, REFS.one), { result: AuthorizeResult.DENY });
});

test('what hangs on the owner is a condition of the catalog', async () => {
  entraAccess.directory.catalogIs(5);
  const expected = (rule: string) => ({
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'catalog',
    resourceType: 'catalog-entity',
    conditions: {
      rule,
      resourceType: 'catalog-entity',
      params: { principal: REFS.one, epoch: 5, session: 0 },
    },
  });
  assert.deepEqual(await decide(deletePermission, REFS.one), expected(RULES.owned));
  assert.deepEqual(await decide(readPermission, REFS.one), expected(RULES.notOwned));
});

test('the condition has the same size for one group and for 200, and passes its own schema', async () => {
  const [one, many] = await Promise.all([REFS.one, REFS.many].map(ref => decide(deletePermission, ref)));
  assert.equal(one?.result, AuthorizeResult.CONDITIONAL);
  assert.equal(JSON.stringify(one).length, JSON.stringify(many).length);
  const { params } = (one as unknown as { conditions: { params: unknown } }).conditions;
  assert.deepEqual(paramsSchema['~standard'].validate(params), { value: params });
});

test('answers that are shared cannot be changed by whoever gets them', async () => {
  assert.ok(Object.isFrozen(await decide(deletePermission, REFS.admin)));
  assert.ok(Object.isFrozen(await decide(deletePermission, REFS.nobody)));
});

test('a permission is handed on with its action and resource type', () => {
  assert.deepEqual(permissionInput(deletePermission), {
    name: 'catalog.entity.delete',
    action: 'delete',
    resourceType: 'catalog-entity',
  });
  const basic = createPermission({ name: 'a.b', attributes: {} });
  assert.deepEqual(permissionInput(basic), { name: 'a.b', action: undefined, resourceType: undefined });
});
