import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AuthorizeResult, createPermission, type Permission } from '@backstage/plugin-permission-common';
import type { PolicyQueryUser } from '@backstage/plugin-permission-node';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, DIRECTORY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { Criteria } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { conditionsOf, pluginOf } from './conditions';
import { EntraPermissionPolicy } from './policy';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const OLIVIA = `user:default/${people.olivia.oid}`;
const DANA = `user:default/${people.dana.oid}`;
const LABEL = { rule: 'HAS_LABEL', params: { label: 'env', value: 'staging' } };
const RULES_OF_POLICY = [
  {
    id: 'own-or-staging',
    effect: 'allow',
    permissions: ['catalog.entity.*'],
    when: { anyOf: [{ owned: true }, LABEL] },
  },
  {
    id: 'not-frozen',
    effect: 'deny',
    permissions: ['catalog.entity.delete'],
    when: { allOf: [{ owned: true }, { rule: 'IS_ENTITY_KIND', params: { kinds: ['API'] } }] },
  },
  { id: 'tasks', effect: 'allow', permissions: ['scaffolder.task.read'], when: { not: { rule: 'IS_TASK_OWNER' } } },
  { id: 'typed', effect: 'allow', permissions: ['other.*'], when: { ...LABEL, resourceType: 'catalog-entity' } },
];
const permission = (name: string, resourceType: string) => createPermission({ name, attributes: {}, resourceType });

let entraAccess: EntraAccess;
let policy: EntraPermissionPolicy;
const logger = new RecordingLogger();
before(() => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const rules = JSON.stringify({ rules: RULES_OF_POLICY });
  entraAccess = new EntraAccess({ json, policy: { json: rules, place: 'policy' } }, new RecordingLogger());
  entraAccess.core.setDirectory(DIRECTORY);
  const known = { state: 'known' as const, ids: [groups.payments.id] };
  entraAccess.sessions.open(OLIVIA, recordOf({ objectId: people.olivia.oid, groups: known }), IN_AN_HOUR);
  entraAccess.sessions.open(DANA, recordOf({ objectId: people.dana.oid, groups: known }), IN_AN_HOUR);
  policy = new EntraPermissionPolicy(entraAccess, logger);
});
after(() => entraAccess.close());

function ask(what: Permission, userEntityRef = OLIVIA) {
  const user = { credentials: { principal: { type: 'user', userEntityRef } } };
  return policy.handle({ permission: what }, user as PolicyQueryUser);
}

const owned = (rule: string, principal = OLIVIA) => ({
  rule,
  resourceType: 'catalog-entity',
  params: { principal, ...entraAccess.versionOf(principal) },
});
const label = { ...LABEL, resourceType: 'catalog-entity' };

test('a condition of several parts comes in the form and under the plugin of its resource', async () => {
  assert.deepEqual(await ask(permission('catalog.entity.refresh', 'catalog-entity')), {
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'catalog',
    resourceType: 'catalog-entity',
    conditions: { anyOf: [owned('IS_OWNED_BY_PRINCIPAL'), label] },
  });
  assert.deepEqual(await ask(permission('scaffolder.task.read', 'scaffolder-task')), {
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'scaffolder',
    resourceType: 'scaffolder-task',
    conditions: { not: { rule: 'IS_TASK_OWNER', resourceType: 'scaffolder-task' } },
  });
});

test('what is denied where it is owned is turned round with our own rule, never with a `not` around it', async () => {
  const decision = await ask(permission('catalog.entity.delete', 'catalog-entity'));
  const kind = { rule: 'IS_ENTITY_KIND', resourceType: 'catalog-entity', params: { kinds: ['API'] } };
  assert.deepEqual((decision as { conditions?: unknown }).conditions, {
    allOf: [
      { anyOf: [owned('IS_OWNED_BY_PRINCIPAL'), label] },
      { anyOf: [owned('IS_NOT_OWNED_BY_PRINCIPAL'), { not: kind }] },
    ],
  });
});

test('a rule of one type of resource is not asked of another', async () => {
  const result = async (type: string) => (await ask(permission('other.thing.read', type))).result;
  assert.equal(await result('catalog-entity'), AuthorizeResult.CONDITIONAL);
  assert.equal(await result('other-thing'), AuthorizeResult.DENY);
});

test('two callers share all of a condition but themselves, and nobody can change what is shared', async () => {
  const delete_ = permission('catalog.entity.delete', 'catalog-entity');
  const [one, other] = (await Promise.all([ask(delete_), ask(delete_, DANA)])) as any[];
  assert.deepEqual(other.conditions.allOf[0].anyOf[0], owned('IS_OWNED_BY_PRINCIPAL', DANA));
  assert.deepEqual(one.conditions.allOf[0].anyOf[0], owned('IS_OWNED_BY_PRINCIPAL', OLIVIA));
  const shared = one.conditions.allOf[0].anyOf[1];
  assert.equal(shared, other.conditions.allOf[0].anyOf[1]);
  assert.ok(Object.isFrozen(shared) && Object.isFrozen(shared.params));
});

test('a condition stands for itself in each type of resource', () => {
  const criteria: Criteria = {
    anyOf: [{ rule: 'A' }, { allOf: [{ owned: false }, { not: { rule: 'B', params: { x: [1] } } }] }],
  };
  const params = { principal: OLIVIA, epoch: 7, session: 3 };
  for (const resourceType of ['one', 'two', 'one']) {
    assert.deepEqual(conditionsOf(criteria, resourceType, params), {
      anyOf: [
        { rule: 'A', resourceType },
        {
          allOf: [
            { rule: 'IS_NOT_OWNED_BY_PRINCIPAL', resourceType, params },
            { not: { rule: 'B', params: { x: [1] }, resourceType } },
          ],
        },
      ],
    });
  }
});

test('the plugin is the one that has the resource', () => {
  assert.equal(pluginOf('catalog.entity.read', 'catalog-entity'), 'catalog');
  assert.equal(pluginOf('tech-insights.fact.read', 'catalog-entity'), 'catalog');
  assert.equal(pluginOf('scaffolder.template.parameter.read', 'scaffolder-template'), 'scaffolder');
  assert.equal(pluginOf('x.read', '__proto__'), 'x');
});

test('a refusal says why in the log, and not to whom', async () => {
  logger.clear();
  await ask(createPermission({ name: 'nothing.read', attributes: {} }));
  await ask(permission('catalog.entity.read', 'catalog-entity'), 'user:default/jane.doe_example.com');
  await policy.handle({ permission: permission('catalog.entity.read', 'catalog-entity') });
  assert.deepEqual(logger.lines, [
    'debug: nothing.read is denied: no rule speaks about it',
    'debug: catalog.entity.read is denied: the caller is not signed in through Entra Access, or no longer',
    'debug: catalog.entity.read is denied: the request is not authenticated',
  ]);
});

test('where the condition has no number it is asked for by itself, and is the same', async () => {
  // A name that is too long for a number.
  const long = permission(`catalog.entity.${'x'.repeat(200)}`, 'catalog-entity');
  const short = permission('catalog.entity.x', 'catalog-entity');
  assert.deepEqual(await ask(long), await ask(short));
});
