import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureApart } from './apart';
import { QUICK } from './sampling';

test('a group is measured in a process of its own', async () => {
  const result = await measureApart({ name: 'cold RS256, 5 groups', seed: 1, effort: QUICK });
  assert.equal(result.name, 'cold RS256, 5 groups');
  assert.ok(result.rows.some(({ name, us }) => name === 'entra-access' && us > 0));
});

test('what fails there is told here', async () => {
  await assert.rejects(measureApart({ name: 'nothing', seed: 1, effort: QUICK }), /no group is named nothing/);
});
