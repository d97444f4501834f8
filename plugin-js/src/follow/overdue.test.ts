import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overdue } from './overdue';

test('a replica asks itself when nobody has in time, once in a while only, and one question at a time', async () => {
  let now = 1_000_000;
  let asked = 0;
  let answer: () => void = () => undefined;
  const ask = () => {
    asked += 1;
    return new Promise<void>(resolve => (answer = resolve));
  };
  const overdue = new Overdue(
    60_000,
    ask,
    () => 0.5,
    () => now,
  );
  const look = (ageMs: number | undefined, passed = 0) => {
    now += passed;
    const before = asked;
    overdue.look(ageMs);
    return asked > before;
  };
  assert.equal(look(undefined), false, 'what is being loaded is the affair of whoever loads it');
  assert.equal(look(54_749), false);
  assert.equal(look(54_750), true);
  assert.equal(look(56_750, 2_000), false, 'it is under way');
  assert.equal(look(113_500, 100_000), false, 'and still, as where Graph does not answer');
  answer();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(look(1_000), false, 'somebody has asked');
  assert.equal(look(54_750), true);
  answer();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(look(109_499, 54_749), false, 'once in a while only');
  assert.equal(look(109_500, 1), true);
});
