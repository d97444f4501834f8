import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { RecordingLogger } from '../../e2e/support/logger';
import type { OwnersAnswer, OwnersQuestion } from '../service/ownersQuestion';
import { KeptOwners } from './keptOwners';
import { OwnershipElsewhere } from './ownershipElsewhere';

const OLIVIA = 'user:default/olivia';
const TEAM = 'group:default/payments';
const NOW = 1_800_000_000;
const HOUR = NOW + 3_600;

const logger = new RecordingLogger();

/** What the other process says, or how it fails, and what it was asked */
let answer: (question: OwnersQuestion) => Promise<OwnersAnswer>;
let asked: OwnersQuestion[];
let now: number;
let elsewhere: OwnershipElsewhere;
beforeEach(() => {
  logger.clear();
  asked = [];
  now = NOW * 1_000;
  answer = async () => signedIn();
  elsewhere = make();
});

function make(kept?: KeptOwners): OwnershipElsewhere {
  const ask = (question: OwnersQuestion) => {
    asked.push(question);
    return answer(question);
  };
  return new OwnershipElsewhere({ ask, logger, clock: () => now, kept });
}

function signedIn(change: Partial<Extract<OwnersAnswer, { state: 'signedIn' }>> = {}): OwnersAnswer {
  const numbers = { epoch: 3, session: 5, expiresAt: HOUR };
  return { state: 'signedIn', ...numbers, version: 'v', owning: [TEAM], possible: [TEAM, OLIVIA], ...change };
}

/** Owners that count for a decision, and owners that may count; `undefined` where there is no answer */
function told(change: { principal?: string; epoch?: number; session?: number } = {}) {
  const params = { principal: OLIVIA, epoch: 3, session: 5, ...change };
  const [owning, possible] = [elsewhere.owning(params), elsewhere.possible(params)];
  return owning === undefined && possible === undefined
    ? undefined
    : [owning && [...owning], possible && [...possible]];
}

const ALL = [[TEAM], [TEAM, OLIVIA]];
/** What was asked for in the background is there */
const settled = () => new Promise(resolve => setImmediate(resolve));

test('who comes in is asked about before anybody decides, once within two seconds', async () => {
  await Promise.all([elsewhere.ensure(OLIVIA), elsewhere.ensure(OLIVIA)]);
  await elsewhere.ensure(OLIVIA, { until: HOUR });
  assert.deepEqual(asked, [{ principal: OLIVIA, epoch: 0, session: 0, until: 0 }]);
  assert.deepEqual(told(), ALL);
  assert.ok(elsewhere.knows(OLIVIA));
  now += 1_999;
  await elsewhere.ensure(OLIVIA);
  assert.equal(asked.length, 1);
  now += 1;
  await elsewhere.ensure(OLIVIA);
  assert.deepEqual(asked[1], { principal: OLIVIA, epoch: 0, session: 0, until: 0, version: 'v' });
  assert.deepEqual(logger.complaints, []);
});

test('what is unchanged need not be sent again, but its numbers and its time count', async () => {
  await elsewhere.ensure(OLIVIA);
  answer = async () => ({ state: 'unchanged', epoch: 4, session: 5, expiresAt: HOUR + 60 });
  now += 2_000;
  await elsewhere.ensure(OLIVIA);
  assert.deepEqual(told({ epoch: 4 }), ALL);
  now += 9_999;
  assert.deepEqual(told({ epoch: 4 }), ALL);
});

test('a decision by a newer directory or sign-in is not answered from the old; the next one is', async () => {
  await elsewhere.ensure(OLIVIA);
  answer = async () => signedIn({ epoch: 4, session: 6, version: 'w', owning: [], possible: [] });
  for (const newer of [{ epoch: 4 }, { session: 6 }]) assert.equal(told(newer), undefined);
  assert.deepEqual(asked.slice(1), [{ principal: OLIVIA, epoch: 4, session: 5, until: 0, version: 'v' }]);
  await settled();
  assert.deepEqual(told({ epoch: 4, session: 6 }), [[], []]);
  assert.deepEqual(told(), [[], []], 'also for the decision of before: by what is known now');
});

test('another process that is behind is asked again twice a second, not for every entity', async () => {
  await elsewhere.ensure(OLIVIA);
  for (let times = 0; times < 100; times += 1) {
    assert.equal(told({ epoch: 9 }), undefined);
    await settled();
  }
  assert.equal(asked.length, 2);
  now += 500;
  assert.equal(told({ epoch: 9 }), undefined);
  await settled();
  assert.equal(asked.length, 3);
  assert.deepEqual(told(), ALL, 'for decisions that it knows of it answers');
});

test('a newer token than the sign-in that is known has the newer one looked for at once', async () => {
  await elsewhere.ensure(OLIVIA, { until: HOUR });
  answer = async () => signedIn({ session: 6, expiresAt: HOUR + 60, owning: [] });
  await elsewhere.ensure(OLIVIA, { until: HOUR + 60 });
  assert.equal(asked.length, 2);
  assert.deepEqual(told({ session: 6 }), [[], [TEAM, OLIVIA]]);
  // Made up: a later one than there is.
  for (let times = 0; times < 5; times += 1) await elsewhere.ensure(OLIVIA, { until: HOUR + 90 });
  assert.equal(asked.length, 3);
});

test('what a token says is handed on only as far as it can be', async () => {
  await elsewhere.ensure(OLIVIA, { until: -7 });
  assert.equal(asked[0]?.until, 0);
});

test('nobody owns nothing, and is asked about again for a newer sign-in', async () => {
  answer = async () => ({ state: 'nobody' });
  await elsewhere.ensure(OLIVIA, { until: HOUR });
  await elsewhere.ensure(OLIVIA, { until: HOUR });
  assert.equal(asked.length, 1);
  assert.equal(told(), undefined);
  assert.equal(elsewhere.knows(OLIVIA), false);
  await settled();
  answer = async () => signedIn({ expiresAt: HOUR + 1 });
  await elsewhere.ensure(OLIVIA, { until: HOUR + 1 });
  assert.deepEqual(told(), ALL);
});

test('unknown is not none', async () => {
  answer = async () => signedIn({ possible: null });
  await elsewhere.ensure(OLIVIA);
  assert.deepEqual(told(), [[TEAM], undefined]);
});

test('a sign-in ends when it ends, and an answer is used for seconds', async () => {
  answer = async () => signedIn({ expiresAt: NOW + 5 });
  await elsewhere.ensure(OLIVIA);
  now += 4_999;
  assert.deepEqual(told(), ALL);
  now += 1;
  assert.equal(told(), undefined);
  answer = async () => signedIn();
  await settled();
  now += 2_000;
  await elsewhere.ensure(OLIVIA);
  now += 9_999;
  assert.deepEqual(told(), ALL);
  now += 1;
  assert.equal(told(), undefined);
});

test('after a failure nothing is known, also what was before; the log says so once', async () => {
  await elsewhere.ensure(OLIVIA);
  answer = () => Promise.reject(new Error('it answers 503'));
  for (let times = 0; times < 5; times += 1) {
    now += 2_000;
    await elsewhere.ensure(OLIVIA);
    assert.equal(told(), undefined);
    assert.equal(elsewhere.knows(OLIVIA), false);
  }
  assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));
  assert.match(
    logger.complaints[0]!,
    /does not tell who owns what \(it answers 503\): .* nothing is certainly not owned/,
  );
  await settled();
  answer = () => Promise.reject(Object.assign(new Error('too late'), { name: 'TimeoutError' }));
  now += 2_000;
  await elsewhere.ensure(OLIVIA);
  assert.match(logger.complaints[1]!, /\(no answer within 4 s\)/);
  answer = async () => signedIn();
  now += 2_000;
  await elsewhere.ensure(OLIVIA);
  assert.deepEqual(told(), ALL);
  assert.match(logger.lines.at(-1)!, /answers again/);
});

test('a process that numbers anew is followed: the last answer counts, not the highest number', async () => {
  await elsewhere.ensure(OLIVIA);
  answer = async () => signedIn({ epoch: 1, session: 1, owning: [], possible: [] });
  now += 2_000;
  await elsewhere.ensure(OLIVIA);
  assert.deepEqual(told({ epoch: 1, session: 1 }), [[], []]);
  assert.equal(told(), undefined, 'a decision of before');
});

test('a request that nobody announced is refused, got for the next, and the log says once what is missing', async () => {
  assert.equal(told(), undefined);
  await settled();
  assert.deepEqual(told(), ALL);
  assert.equal(told({ principal: 'user:default/rita' }), undefined);
  assert.equal(logger.complaints.length, 1);
  assert.match(logger.complaints[0]!, /\/direct` installed in this backend/);
  assert.equal(elsewhere.owning(undefined), undefined);
});

test('no more than 200 questions are under way, and those that are too many are nobody', async () => {
  let release!: () => void;
  const held = new Promise<void>(resolve => (release = resolve));
  answer = async () => (await held, signedIn());
  const waiting = Array.from({ length: 250 }, (_, at) => elsewhere.ensure(`user:default/${at}`));
  await Promise.all(waiting.slice(200));
  assert.equal(asked.length, 200);
  assert.equal(told({ principal: 'user:default/249' }), undefined);
  release();
  await Promise.all(waiting);
  assert.deepEqual(told({ principal: 'user:default/0' }), ALL);
});

test('made-up names take no room from who is signed in', async () => {
  await elsewhere.ensure(OLIVIA);
  answer = async () => ({ state: 'nobody' });
  for (let at = 0; at < 12_000; at += 1) await elsewhere.ensure(`user:default/made-up-${at}`);
  assert.deepEqual(told(), ALL);
});

test('the one that was asked about longest ago makes room, by number and by size', async () => {
  for (const limit of [{ maxPrincipals: 2 }, { maxOwners: 6 }]) {
    const kept = new KeptOwners(limit);
    elsewhere = make(kept);
    for (const name of ['a', 'b', 'c']) await elsewhere.ensure(name);
    assert.equal(kept.size, 2);
    assert.deepEqual(
      ['a', 'b', 'c'].map(name => elsewhere.knows(name)),
      [false, true, true],
    );
  }
  const kept = new KeptOwners({ maxOwners: 5 });
  elsewhere = make(kept);
  answer = async () => signedIn({ owning: Array.from({ length: 6 }, (_, at) => `group:default/${at}`) });
  await elsewhere.ensure(OLIVIA);
  assert.equal(kept.size, 0, 'one that is too large for all is not kept, and answers nothing');
  assert.equal(told(), undefined);
});
