/** What the soak is there to notice, it notices */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, Asked } from './load';
import { readOptions } from './options';
import { promisesOf } from './promises';
import { Phases } from './schedule';
import { Tally } from './tally';
import { Truth } from './truth';

const BOUND_MS = 120_000;
const START = 1_000_000;

/** Somebody who was allowed until `START` */
function leaver() {
  const truth = new Truth(true);
  truth.set(false, START);
  return { id: 'leaver', truth, token: '', member: false, enabled: true };
}

const asked = (person: Asked['person'], after: number, answer?: Answer, more: Partial<Asked> = {}): Asked => ({
  ...{ person, answer, status: answer === undefined ? 502 : 200, replica: '1', direct: true },
  ...{ askedAt: START + after, answeredAt: START + after + 5 },
  ...more,
});

/** The promises that were broken, and those of which nothing was seen */
function judged(tally: Tally, more: Partial<Parameters<typeof promisesOf>[1]> = {}) {
  const kept = promisesOf(readOptions([]), { tally, lost: 0, states: [], failures: [], ...more });
  return kept.filter(([, holds]) => holds === false).map(([promise]) => promise);
}

test('a replica that no longer follows: what it allows becomes too old', () => {
  const [person, tally] = [leaver(), new Tally(BOUND_MS, new Phases(5_000))];
  for (const after of [-10, 100, 3_000, BOUND_MS]) tally.see(asked(person, after, 'allow'));
  assert.deepEqual([tally.yes.tooOld, tally.yes.oldest], [0, BOUND_MS]);
  tally.see(asked(person, BOUND_MS + 1, 'allow'));
  assert.equal(tally.yes.tooOld, 1);
  assert.deepEqual(judged(tally), [
    'no request allowed by a state that was too old',
    'refused within 5.00 s in quiet times',
  ]);
});

test('a change has arrived when a replica answers by it and goes on to', () => {
  const [person, tally] = [leaver(), new Tally(BOUND_MS, new Phases(5_000))];
  tally.see(asked(person, 500, 'allow'));
  tally.see(asked(person, 1_000, 'deny'));
  tally.see(asked(person, 1_200, 'allow'));
  tally.see(asked(person, 1_500, 'revoked'));
  tally.see(asked(person, 4_000, 'deny'));
  tally.see(asked(person, 700, 'deny', { replica: '2' }));
  const { count, p50, longest } = tally.arrivals('quiet', false);
  assert.deepEqual([count, p50, longest], [2, 705, 1_505]);
  assert.equal(tally.arrivals('quiet', true).count, 0);
  assert.deepEqual(judged(tally), []);
});

test('one that answers by nothing too old while Graph is away, and one that goes on to allow', () => {
  const phases = new Phases(5_000);
  const began = performance.now();
  const over = phases.begin('Graph away');
  const person = { ...leaver(), truth: new Truth(true) };
  const at = (ms: number): Partial<Asked> => ({ askedAt: began + ms, answeredAt: began + ms + 5 });
  const tally = new Tally(BOUND_MS, phases);
  tally.see(asked(person, 0, 'allow', at(BOUND_MS - 1)));
  tally.see(asked(person, 0, 'deny', at(BOUND_MS + 2_000)));
  assert.deepEqual([tally.stale.answers, tally.stale.yes], [1, 0]);
  assert.deepEqual(judged(tally, { states: ['unknown', 'unknown'] }), []);
  assert.deepEqual(judged(tally, { states: ['unknown', 'known'] }), ['groups unknown while nothing counted']);
  tally.see(asked(person, 0, 'allow', at(BOUND_MS + 2_000)));
  assert.deepEqual(judged(tally), ['nothing allowed while nothing counted']);
  over();
  assert.equal(phases.of(performance.now()), 'Graph away', 'it goes back to normal by and by');
  assert.equal(phases.of(performance.now() + 60_000), 'quiet');
});

test('lost changes, requests without an answer and failures are told', () => {
  const tally = new Tally(BOUND_MS, new Phases(5_000));
  tally.see(asked(leaver(), 10, undefined, { direct: true }));
  assert.deepEqual(judged(tally), []);
  tally.see(asked(leaver(), 10, undefined, { direct: false }));
  assert.deepEqual(judged(tally, { lost: 1, failures: [new Error('one does not serve')] }), [
    'no change lost',
    'every request answered',
    'no failure: one does not serve',
  ]);
});

test('whatever is not understood on the command line is said', () => {
  assert.throws(() => readOptions(['--minute', '2']), /`--minute`/);
  assert.throws(() => readOptions(['--minutes', 'two']), /`--minutes`/);
  assert.deepEqual(readOptions(['--polling', '--minutes', '2']), {
    ...{ notifications: false, minutes: 2, poll: 10, rate: 200, changes: 5 },
  });
});
