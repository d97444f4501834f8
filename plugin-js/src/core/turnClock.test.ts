import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { turnClock } from './turnClock';

test('the time stands still within a turn, and goes on before anything else can come in', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1_000 });
  try {
    assert.equal(turnClock(), 1_000);
    mock.timers.setTime(2_000);
    assert.equal(turnClock(), 1_000, 'the same turn');
    await undefined;
    assert.equal(turnClock(), 2_000, 'after the first await');
    mock.timers.setTime(3_000);
    const seen: number[] = [];
    await Promise.all([
      new Promise<void>(resolve => setImmediate(() => resolve(void seen.push(turnClock())))),
      new Promise<void>(resolve => process.nextTick(() => resolve(void seen.push(turnClock())))),
    ]);
    // A tick comes before the promises of its turn; whatever comes from the event loop comes after them.
    assert.equal(seen.at(-1), 3_000, 'what comes from the event loop');
  } finally {
    mock.timers.reset();
  }
});
