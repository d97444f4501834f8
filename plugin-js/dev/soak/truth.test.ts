import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Truth } from './truth';

test('an answer is as old as the state that it is an answer of', () => {
  const truth = new Truth(true);
  truth.set(false, 1_000);
  truth.set(false, 1_500);
  assert.deepEqual(truth.age(false, 2_000), { ms: 0 });
  assert.deepEqual(truth.age(true, 2_000), { ms: 1_000, change: 1_000 });
  // Asked before the change, answered after it: either is of the present.
  assert.deepEqual(truth.age(true, 900), { ms: 0 });
  truth.set(true, 3_000);
  assert.deepEqual(truth.age(true, 4_000), { ms: 0 });
  assert.deepEqual(truth.age(false, 4_000), { ms: 1_000, change: 3_000 });
  assert.deepEqual([truth.allowed, truth.changedAt], [true, 3_000]);
});

test('an answer that was never right is as old as can be', () => {
  assert.deepEqual(new Truth(false).age(true, 5_000), { ms: 5_000, change: 0 });
});
