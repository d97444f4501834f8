import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './differential';
import { FAMILIES, Generator } from './generator';

const COUNT = 3000;
/** Of a hundred tokens so many are accepted by both: with fewer, only refusals would be compared */
const ACCEPTED = { least: 20, most: 60 };

test('whatever we accept, jose accepts with the same claims', async () => {
  const totals = await compare({ seed: 20_260, count: COUNT });
  assert.deepEqual(totals.disagreements, []);

  const percent = (100 * totals.acceptedByBoth) / totals.tokens;
  assert.ok(percent >= ACCEPTED.least && percent <= ACCEPTED.most, `${percent} % accepted by both`);
  assert.ok(totals.refusedByBoth > COUNT / 4, 'refused by both');
  assert.ok([...totals.refusedByUs.values()].reduce((sum, each) => sum + each, 0) > COUNT / 20, 'jose is more lenient');
  // Every way to make a token is in use, and meets more than one check.
  for (const family of FAMILIES) assert.ok(totals.byFamily[family].tokens > COUNT / 50, family);
  for (const family of ['harmless', 'claims', 'header', 'text', 'compact'] as const) {
    assert.ok(totals.byFamily[family].accepted > 0, `some of ${family} are accepted`);
  }
  assert.ok(totals.codes.size >= 15, `only ${[...totals.codes.keys()].join(', ')}`);
});

test('seed and index make the same token again, others another', () => {
  const [one, same, other] = [new Generator(7), new Generator(7), new Generator(8)];
  for (const index of [0, 5, 1234]) {
    assert.deepEqual(one.sample(index), same.sample(index));
    assert.notEqual(one.sample(index).token, other.sample(index).token);
  }
  assert.equal(new Set(Array.from({ length: 300 }, (_, index) => one.sample(index).token)).size > 250, true);
});
