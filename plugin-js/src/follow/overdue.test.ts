import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overdue } from './overdue';

test('a replica asks itself when nobody has in time, and once in a while only', () => {
  let now = 1_000_000;
  const overdue = new Overdue(
    60_000,
    () => 0.5,
    () => now,
  );
  assert.equal(overdue.now(undefined), false, 'what is being loaded is the affair of whoever loads it');
  assert.equal(overdue.now(56_749), false);
  assert.equal(overdue.now(56_750), true);
  now += 2_000;
  assert.equal(overdue.now(58_750), false, 'it may be under way');
  now += 54_749;
  assert.equal(overdue.now(113_499), false);
  now += 1;
  assert.equal(overdue.now(1_000), false, 'somebody has asked');
  assert.equal(overdue.now(113_500), true);
});
