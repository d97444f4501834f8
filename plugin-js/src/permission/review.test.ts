import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '../service/policyText';
import type { PluginMetadata } from './pluginMetadata';
import { reviewPolicy } from './review';

const label = {
  type: 'object',
  properties: { label: { type: 'string' }, value: { type: 'string' } },
  required: ['label'],
  additionalProperties: false,
};
const PLUGINS: Record<string, PluginMetadata | undefined> = {
  catalog: {
    permissions: [
      { type: 'resource', name: 'catalog.entity.read', attributes: { action: 'read' }, resourceType: 'catalog-entity' },
      { type: 'basic', name: 'catalog.entity.create', attributes: { action: 'create' } },
      {
        type: 'resource',
        name: 'catalog.entity.delete',
        attributes: { action: 'delete' },
        resourceType: 'catalog-entity',
      },
    ],
    rules: [
      { name: 'HAS_LABEL', resourceType: 'catalog-entity', paramsSchema: label },
      { name: 'IS_PUBLIC', resourceType: 'catalog-entity' },
    ],
  },
  shelf: {
    permissions: [{ type: 'resource', name: 'shelf.book.read', attributes: {}, resourceType: 'book' }],
    rules: [{ name: 'HAS_GENRE', resourceType: 'book', paramsSchema: { type: 'nonsense' } }],
  },
  absent: { permissions: [], rules: [] },
  silent: undefined,
};

const reviewAll = (rules: unknown[]) =>
  reviewPolicy({ json: JSON.stringify({ rules }), place: 'policy' }, async plugin => PLUGINS[plugin]);

async function review(permissions: string[], when?: unknown): Promise<string[]> {
  const found = await reviewAll([{ id: 'r', effect: 'allow', permissions, ...(when ? { when } : {}) }]);
  return found.map(text => text.replace('policy.rules[0]', '').replace(': rule `r`: ', ' '));
}

const staging = (params: object, more = {}) => ({ rule: 'HAS_LABEL', params, ...more });

test('what is declared, and what cannot be known, gives no warning', async () => {
  for (const [permissions, when] of [
    [['*']],
    [['catalog.entity.read', 'catalog.entity.*', 'catalog.*', 'shelf.book.read']],
    [['silent.thing.read', 'silent.*'], { owned: true }],
    [['catalog.entity.read'], staging({ label: 'env', value: 'x' })],
    [
      ['catalog.*'],
      { allOf: [{ owned: true }, { not: { anyOf: [staging({ label: 'env' }), { rule: 'IS_PUBLIC' }] } }] },
    ],
    [['*'], { rule: 'WHATEVER', resourceType: 'some-type' }],
    [['*'], { anyOf: [{ owned: true }, { rule: 'IS_PUBLIC' }] }],
    [['shelf.book.read', 'catalog.entity.read'], { owned: true }],
    [['shelf.book.read'], { rule: 'HAS_GENRE', params: { any: 1 } }],
    [['silent.thing.read'], { rule: 'WHATEVER' }],
  ] as Array<[string[], unknown?]>) {
    assert.deepEqual(await review(permissions, when), [], JSON.stringify([permissions, when]));
  }
});

for (const [name, permissions, when, warning] of [
  [
    'a name that nobody declares',
    ['catalog.entity.raed'],
    undefined,
    /^\.permissions\[0\] no installed plugin declares catalog\.entity\.raed \(plugin catalog has catalog\.entity\.read, /,
  ],
  [
    'a prefix below which nothing is',
    ['catalog.entities.*'],
    undefined,
    /no installed plugin declares catalog\.entities\.\*/,
  ],
  [
    'a plugin that is not there',
    ['absent.thing.read'],
    undefined,
    /plugin absent declares none or is not installed\)$/,
  ],
  [
    'a resource of permissions without one',
    ['catalog.entity.create'],
    { owned: true },
    /the permissions that it names have none/,
  ],
  [
    'a rule that nobody has',
    ['catalog.entity.read'],
    { not: { rule: 'HAS_LABLE' } },
    /^\.when\.not\.rule there is no rule HAS_LABLE for catalog-entity \(plugin catalog has HAS_LABEL, IS_PUBLIC\)$/,
  ],
  [
    'a rule of a named type',
    ['*'],
    { rule: 'HAS_LABLE', resourceType: 'catalog-entity' },
    /^\.when\.rule there is no rule HAS_LABLE for catalog-entity/,
  ],
  [
    'params that are missing',
    ['catalog.entity.read'],
    staging({}),
    /^\.when\.params the params of HAS_LABEL are refused by its plugin: label: /,
  ],
  ['params of another name', ['catalog.entity.read'], staging({ label: 'a', vaule: 'geheim' }), /Unrecognized key/],
  [
    'params of another type',
    ['*'],
    staging({ label: 7 }, { resourceType: 'catalog-entity' }),
    /label: Invalid input: expected string/,
  ],
  [
    'a rule that the catalog does not have on everything',
    ['*'],
    { anyOf: [{ owned: true }, { rule: 'HAS_LABLE' }] },
    /^\.when\.anyOf\[1\]\.rule there is no rule HAS_LABLE for catalog-entity/,
  ],
  [
    'an owner of what has none',
    ['shelf.book.read'],
    { not: { owned: true } },
    /^\.when\.not\.owned it asks for an owner, which only a catalog-entity has; its permissions are about book \(/,
  ],
  [
    'a type that no permission is about',
    ['catalog.entity.read'],
    staging({ label: 'a' }, { resourceType: 'catalog-entiti' }),
    /^\.when\.resourceType HAS_LABEL is asked of catalog-entiti, .* \(they are about catalog-entity\)$/,
  ],
] as Array<[string, string[], unknown, RegExp]>) {
  test(`${name} is warned about`, async () => {
    const found = await review(permissions, when);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, warning);
    assert.ok(!found[0]!.includes('geheim'), 'no value is repeated');
  });
}

test('a rule whose permissions have none of its actions is warned about', async () => {
  const rule = { id: 'r', effect: 'deny', permissions: ['catalog.entity.delete'], actions: ['read'] };
  assert.deepEqual(await reviewAll([rule]), [
    'policy.rules[0].actions: rule `r`: it can never match: none of the permissions that it names has one of its actions ' +
      '(catalog.entity.delete: delete)',
  ]);
  assert.deepEqual(await reviewAll([{ ...rule, permissions: ['silent.*'] }]), [], 'what is not known');
  assert.deepEqual(await reviewAll([{ ...rule, permissions: ['catalog.*'] }]), [], 'one of them has it');
});

test('an allow of which denies by action leave nothing is warned about', async () => {
  const allow = { id: 'a', effect: 'allow', permissions: ['catalog.entity.delete'] };
  const deny = { id: 'd', effect: 'deny', permissions: ['*'], actions: ['delete'] };
  assert.deepEqual(await reviewAll([allow, deny]), [
    'policy.rules[0]: rule `a`: it can never allow: `d` denies all of it (remove one of them, or narrow the deny)',
  ]);
  for (const fine of [
    [{ ...allow, permissions: ['catalog.*'] }, deny],
    [allow, { ...deny, actions: ['read'] }],
    [allow, { ...deny, principals: [{ kind: 'agent' }] }],
    [allow, { ...deny, when: { owned: true } }],
    [allow, { ...deny, requires: { mfa: true } }],
    [{ ...allow, permissions: ['silent.thing.delete'] }, deny],
    [{ ...allow, permissions: ['catalog.*'], actions: ['read'] }, deny],
  ]) {
    assert.deepEqual(await reviewAll(fine), [], JSON.stringify(fine));
  }
});

test('of a rule with a plugin that may live elsewhere nothing is said but that', async () => {
  const when = { anyOf: [{ owned: true }, { rule: 'X', resourceType: 'absent-thing' }] };
  const deny = { id: 'd', effect: 'deny', permissions: ['*'], actions: ['delete'] };
  for (const more of [
    { permissions: ['catalog.entity.delete', 'absent.thing.read'] },
    { permissions: ['catalog.entity.read', 'absent.thing.delete'], actions: ['delete'] },
    { permissions: ['catalog.entity.create', 'absent.thing.read'], when },
    { permissions: ['catalog.entity.read', 'absent.thing.read'], when },
    { permissions: ['shelf.book.read', 'absent.thing.read'], when },
  ]) {
    const found = await reviewAll([{ id: 'a', effect: 'allow', ...more }, deny]);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, /no installed plugin declares absent/);
  }
});

test('a condition is compared with the permissions of its actions only', async () => {
  const when = { rule: 'HAS_GENRE', params: {} };
  const rule = { id: 'a', effect: 'allow', permissions: ['catalog.entity.read', 'shelf.book.read'], when };
  assert.equal((await reviewAll([rule])).length, 1, 'for the entities');
  assert.deepEqual(await reviewAll([{ ...rule, actions: ['update'] }]).then(all => all.length), 1, 'never matches');
  const some = { ...rule, permissions: ['*'], actions: ['create'], when: { rule: 'WHATEVER' } };
  assert.deepEqual(await reviewAll([some]), []);
});

test('the line is told where the policy is a file', async () => {
  const policy = parsePolicy(
    `rules:
  - id: r
    effect: allow
    permissions:
      - catalog.entity.read
      - catalog.entity.raed
`,
    'policy.yaml',
  );
  const [found, ...others] = await reviewPolicy(policy, async plugin => PLUGINS[plugin]);
  assert.match(
    found!,
    /^policy\.yaml\.rules\[0\]\.permissions\[1\]: rule `r`: no installed .* \(line 6; plugin catalog has /,
  );
  assert.deepEqual(others, []);
});
