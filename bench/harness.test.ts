import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_SUFFIX, measureGroup, withControl, type Case, type Group } from './harness';
import { guid, seeded, shuffled } from './random';
import { calibrate, QUICK, sample, type Work } from './sampling';
import { median, quantile, summarise } from './statistics';
import { groupTable } from './table';

const right = (name: string, work: Work = { kind: 'sync', once: () => true }): Case => ({
  name,
  work,
  check: () => {},
});
const pair: Group = { reference: 'b', cases: [right('a'), right('b')] };

test('quantiles are those of R', () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([4, 1, 3, 2], 0.25), 1.75);
  assert.equal(quantile([4, 1, 3, 2], 0.75), 3.25);
  assert.equal(quantile([10, 2, 33], 0), 2);
  assert.equal(quantile([10, 2, 33], 1), 33, 'sorted as numbers, not as text');
  assert.throws(() => median([]), RangeError);
});

test('quantiles leave their input as it is', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test('the ratio is the median of the ratios within each round', () => {
  // A machine that becomes ten times slower: medians drift, the ratio stays.
  const reference = [1, 2, 10];
  const row = summarise('twice as slow', [2, 4, 20], reference);
  assert.deepEqual(row, { name: 'twice as slow', us: 4, q1: 3, q3: 12, ratio: 2 });
  // Not the ratio of the medians, which would be 3/2.
  assert.equal(summarise('other', [3, 3, 3], reference).ratio, 1.5);
  assert.equal(summarise('other', [8, 1, 1], reference).ratio, 0.5);
  assert.throws(() => summarise('fewer rounds', [1], reference), /fewer rounds: not measured in the same rounds/);
});

test('a seed gives one order, and an order keeps every item', () => {
  const items = [...Array(20).keys()];
  const order = shuffled(items, seeded(7));
  assert.deepEqual(order, shuffled(items, seeded(7)));
  assert.notDeepEqual(order, shuffled(items, seeded(8)));
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    items,
  );
});

test('every place is reached about equally often', () => {
  const random = seeded(1);
  const first = [0, 0, 0, 0];
  for (let round = 0; round < 4000; round++) first[shuffled([0, 1, 2, 3], random)[0] as number]! += 1;
  for (const times of first) assert.ok(times > 850 && times < 1150, `${first}`);
});

test('made-up group ids are GUIDs of version 4, all different', () => {
  const random = seeded(3);
  const ids = Array.from({ length: 500 }, () => guid(random));
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
});

test('the reference is measured twice, under two names', () => {
  assert.deepEqual(
    withControl(pair).map(({ name }) => name),
    ['a', 'b', `b${CONTROL_SUFFIX}`],
  );
  assert.throws(() => withControl({ ...pair, reference: 'c' }), /there is no case "c": a, b/);
  assert.throws(() => withControl({ ...pair, cases: [right('b'), right('b')] }), /occurs twice/);
});

test('every round takes one sample of every case, and all of them are summarised', async () => {
  const calls: string[] = [];
  const counted = (name: string, us: number): Case =>
    right(name, { kind: 'timed', once: async () => (calls.push(name), us) });
  const group: Group = { reference: 'b', cases: [counted('a', 30), counted('b', 10)], maxRounds: 2, notes: ['a note'] };
  const result = await measureGroup({ name: 'group', make: () => group }, QUICK, seeded(1));
  assert.deepEqual(calls.sort(), ['a', 'a', 'b', 'b', 'b', 'b']);
  assert.deepEqual(
    result.rows.map(({ name, us, ratio }) => [name, us, ratio]),
    [
      ['a', 30, 3],
      ['b', 10, 1],
      ['b (control)', 10, 1],
    ],
  );
  assert.match(groupTable(result), /group +\(ratio to: b\)[^]*a  +30\.0 [^]*3\.000 [^]*\* a note/);
});

test('what does not answer rightly is not timed', async () => {
  let timed = false;
  const wrong: Case = {
    name: 'liar',
    work: { kind: 'sync', once: () => (timed = true) },
    check: () => assert.fail('accepts a tampered token'),
  };
  const plan = { name: 'group', make: () => ({ reference: 'a', cases: [right('a'), wrong] }) };
  await assert.rejects(measureGroup(plan, QUICK, seeded(1)), /group: liar does not answer rightly/);
  assert.equal(timed, false);
});

test('an answer that turns wrong while it is timed ends the run', async () => {
  const no = async () => false;
  await assert.rejects(sample({ kind: 'sync', once: () => undefined }, 1), /wrong answer/);
  await assert.rejects(sample({ kind: 'awaited', once: no }, 1), /wrong answer/);
  await assert.rejects(sample({ kind: 'awaited', once: async () => ({ ok: false }) }, 1), /wrong answer/);
  await assert.rejects(sample({ kind: 'inFlight', width: 2, once: no }, 2), /wrong answer/);
});

test('where one go is several operations, the time is that of each', async () => {
  const once = () => {
    const end = performance.now() + 1;
    while (performance.now() < end);
    return true;
  };
  const each = await sample({ kind: 'sync', once, operations: 10 }, 3);
  assert.ok(each >= 100, `${each} us, a tenth of a millisecond at least`);
  const whole = await sample({ kind: 'sync', once }, 3);
  assert.ok(whole >= 1_000, `${whole} us`);
  const iterations = await calibrate({ kind: 'sync', once, operations: 10 }, { ...QUICK, sampleMs: 4 });
  assert.ok(iterations >= 1 && iterations <= 4, `${iterations} goes of 1 ms for 4 ms`);
});

test('never more than the given number are in flight, and every iteration runs', async () => {
  let [now, most, all] = [0, 0, 0];
  const once = async () => {
    most = Math.max(most, ++now);
    all += 1;
    await new Promise(setImmediate);
    now -= 1;
    return true;
  };
  await sample({ kind: 'inFlight', width: 8, once }, 30);
  assert.deepEqual([most, all], [8, 30]);
});

test('calibration asks for no more iterations than a sample of the wanted length needs', async () => {
  const once = () => {
    const end = performance.now() + 0.05;
    while (performance.now() < end);
    return true;
  };
  const iterations = await calibrate({ kind: 'sync', once }, { ...QUICK, sampleMs: 2 });
  // No lower limit: on a busy machine each may take as long as it likes.
  assert.ok(iterations >= 1 && iterations <= 40, `${iterations} of at least 50 us for 2 ms`);
  assert.equal(await calibrate({ kind: 'timed', once: async () => 1 }, QUICK), 1);
});
