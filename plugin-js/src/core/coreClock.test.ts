import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { CoreClock } from './coreClock';
import type { Freshness } from './freshness';
import { turnClock } from './turnClock';

/** Writes down when it is told to look */
function watched() {
  const looks: number[] = [];
  const freshness = { passed: (now: number) => void looks.push(now) } as unknown as Freshness;
  return { looks, freshness };
}

test('within a turn of JavaScript the time stands still, and is looked at once for what has become too old', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1_000_500 });
  try {
    const { looks, freshness } = watched();
    const clock = new CoreClock(freshness, turnClock);
    assert.deepEqual([clock.now, clock.seconds], [1_000_500, 1_000]);
    mock.timers.setTime(2_000_000);
    assert.deepEqual([clock.now, looks], [1_000_500, [1_000_500]]);
    await undefined;
    assert.deepEqual([clock.now, looks], [2_000_000, [1_000_500, 2_000_000]], 'after the first await');
    mock.timers.setTime(3_000_000);
    const later = await new Promise<number>(resolve => setImmediate(() => resolve(clock.now)));
    assert.deepEqual([later, looks.at(-1)], [3_000_000, 3_000_000], 'what comes from the event loop');
  } finally {
    mock.timers.reset();
  }
});

test('a clock that does not stand still is read for each question', () => {
  const { looks, freshness } = watched();
  let now = 5_000;
  const clock = new CoreClock(freshness, () => now);
  assert.equal(clock.now, 5_000);
  now = 6_000;
  assert.equal(clock.seconds, 6);
  now = 0;
  assert.equal(clock.now, 0);
  assert.deepEqual(looks, [5_000, 6_000, 0]);
});
