import assert from 'node:assert/strict';
import { test } from 'node:test';
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

async function review(permissions: string[], when?: unknown): Promise<string[]> {
  const json = JSON.stringify({ rules: [{ id: 'r', effect: 'allow', permissions, ...(when ? { when } : {}) }] });
  const found = await reviewPolicy(json, async plugin => PLUGINS[plugin]);
  return found.map(text => text.replace(/^policy: rule r: /, ''));
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
    [['*'], { rule: 'WHATEVER' }],
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
    /^no installed plugin declares catalog\.entity\.raed \(plugin catalog has catalog\.entity\.read, /,
  ],
  [
    'a prefix below which nothing is',
    ['catalog.entities.*'],
    undefined,
    /^no installed plugin declares catalog\.entities\.\*/,
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
    /^there is no rule HAS_LABLE for catalog-entity \(its plugin has HAS_LABEL, IS_PUBLIC\)$/,
  ],
  [
    'a rule of a named type',
    ['*'],
    { rule: 'HAS_LABLE', resourceType: 'catalog-entity' },
    /^there is no rule HAS_LABLE for catalog-entity/,
  ],
  [
    'params that are missing',
    ['catalog.entity.read'],
    staging({}),
    /^the params of HAS_LABEL are refused by its plugin: label: /,
  ],
  ['params of another name', ['catalog.entity.read'], staging({ label: 'a', vaule: 'geheim' }), /Unrecognized key/],
  [
    'params of another type',
    ['*'],
    staging({ label: 7 }, { resourceType: 'catalog-entity' }),
    /label: Invalid input: expected string/,
  ],
] as Array<[string, string[], unknown, RegExp]>) {
  test(`${name} is warned about`, async () => {
    const found = await review(permissions, when);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, warning);
    assert.ok(!found[0]!.includes('geheim'), 'no value is repeated');
  });
}
