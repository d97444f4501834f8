import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EntraAccess } from '../service/entraAccess';
import { DURATION, INSTRUMENTS } from './metrics';

const PAGE = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'metrics.md'), 'utf8');

test('docs/metrics.md has each metric with kind and unit, and no other', () => {
  const rows = [...PAGE.matchAll(/^\| `(entra_access[\w.]+)` \| (\w+)(?:, (s))? \|/gm)];
  const { name, options } = DURATION;
  const own = [...INSTRUMENTS, { name, kind: 'histogram', unit: options.unit }];
  assert.deepEqual(
    rows.map(([, metric, kind, unit]) => `${metric} ${kind} ${unit ?? ''}`).sort(),
    own.map(({ name: metric, kind, unit }) => `${metric} ${kind} ${unit === 's' ? 's' : ''}`).sort(),
  );
});

test('what one is to be woken by is measured', () => {
  const names = new Set(INSTRUMENTS.map(({ name }) => name));
  const [, alerts = ''] = PAGE.split('## What to be woken by');
  const named = [...alerts.matchAll(/`(entra_access[\w.]+)`/g)].map(([, name = '']) => name);
  assert.ok(named.length >= 8);
  for (const name of named) assert.ok(names.has(name), name);
});

/** What is measured of a core that knows `states` of its two tenants and of an issuer of pipelines */
function measured(name: string, states: object[], staleAfter = 900) {
  const issuers = [{ tenantId: 'a' }, { tenantId: 'a' }, { tenantId: 'b' }, { tenantId: '' }];
  const core = { freshness: { staleAfter, states }, issuers };
  const instrument = INSTRUMENTS.find(each => each.name === name);
  return [...(instrument?.measure({ core } as unknown as EntraAccess, {}) ?? assert.fail(name))];
}

test('a tenant of Entra that was never loaded has no age, and is as good as one that is too old', () => {
  const [a, b] = [{ tenant: 'a' }, { tenant: 'b' }];
  for (const [states, ages, stale] of [
    [[], [undefined, undefined], [1, 1]],
    [[{ ...a, stale: false, ageSeconds: 7 }], [7, undefined], [0, 1]],
    // By a time that has not come it is no younger.
    [[{ ...b, stale: true, ageSeconds: 0, error: 'x' }], [undefined, 0], [1, 1]],
  ] as Array<[object[], Array<number | undefined>, number[]]>) {
    assert.deepEqual(measured('entra_access.entra.age', states), [
      [ages[0], a],
      [ages[1], b],
    ]);
    assert.deepEqual(measured('entra_access.entra.stale', states), [
      [stale[0], a],
      [stale[1], b],
    ]);
  }
});

test('where groups come with the tokens nothing is said of Entra', () => {
  for (const name of ['entra_access.entra.age', 'entra_access.entra.stale'])
    assert.deepEqual(measured(name, [], 0), []);
});
