import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
  type VerifyKeyObjectInput,
} from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { KEYS, SLOT_BYTES, SLOTS } from './signatureSlots';
import { SignatureThreads } from './signatureThreads';

interface Asked {
  token: string;
  fits: boolean;
  answers: boolean[];
}

const pairs = [2048, 3072].map(modulusLength => generateKeyPairSync('rsa', { modulusLength }));
const started: Array<SignatureThreads<Asked>> = [];
const losses: string[] = [];
after(() => {
  started.forEach(each => each.close());
  assert.deepEqual(losses, [], 'no thread ends by itself');
});

function threads(): SignatureThreads<Asked> {
  const made = new SignatureThreads<Asked>({
    done: ({ answers }, fits) => answers.push(fits),
    lost: why => losses.push(why),
  });
  started.push(made);
  return made;
}

async function runs(of: SignatureThreads<Asked>): Promise<void> {
  for (let turn = 0; turn < 2_000 && !of.running; turn += 1) await pause(5);
  assert.ok(of.running, `the threads run: ${losses}`);
}

async function running(): Promise<SignatureThreads<Asked>> {
  const made = threads();
  ask(made, 'the first one starts them', 0);
  await runs(made);
  return made;
}

/** Asks about a text, signed rightly or not, with bytes that mean something else as soon as they were handed over */
function ask(of: SignatureThreads<Asked>, token: string, pair: number, fits = true, key?: KeyObject): Asked {
  const asked: Asked = { token: `${token}.signature`, fits, answers: [] };
  const { publicKey, privateKey } = pairs[pair]!;
  const signature = sign('sha256', Buffer.from(fits ? token : `${token}?`), privateKey);
  of.check(asked, 'sha256', token.length, key ?? publicKey, signature);
  signature.fill(0);
  return asked;
}

async function answered(all: Asked[]): Promise<void> {
  while (all.some(({ answers }) => answers.length === 0)) await pause(5);
  // Nobody is told twice.
  await pause(20);
  for (const { token, fits, answers } of all) assert.deepEqual(answers, [fits], token.slice(0, 40));
}

/** Good and bad ones of two keys and several lengths, in an order that no rhythm of slots and threads goes with */
const mixed = (of: SignatureThreads<Asked>, count: number) =>
  Array.from({ length: count }, (_, at) =>
    ask(of, `${at}`.padEnd(1 + (at % 7) * 600, 'x'), at % 2, (at * 7) % 5 !== 0),
  );

test('each signature gets its own answer, before the threads run, in them, and when there are more than they take', async () => {
  const of = threads();
  await answered(mixed(of, 40));
  await runs(of);
  for (const count of [1, 2, SLOTS, 3 * SLOTS]) await answered(mixed(of, count));
  // Over several turns, so that slots come back while others are under way.
  const all: Asked[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    all.push(...mixed(of, 9));
    await pause(turn % 3);
  }
  await answered(all);
  assert.ok(of.running);
});

test('what is too long for a slot is checked all the same', async () => {
  const of = await running();
  const longest = SLOT_BYTES - 256;
  await answered(
    [longest - 1, longest, longest + 1, 5 * SLOT_BYTES].flatMap(length => [
      ask(of, 'y'.repeat(length), 0),
      ask(of, 'y'.repeat(length), 0, false),
    ]),
  );
});

test('more keys than are kept, and all of them at once: each is told of again', async () => {
  const of = await running();
  const spki = pairs[0]!.publicKey.export({ type: 'spki', format: 'pem' });
  const keys = Array.from({ length: KEYS + 40 }, () => createPublicKey(spki));
  for (let turn = 0; turn < 2; turn += 1) {
    for (let at = 0; at < keys.length; at += SLOTS / 2) {
      const some = keys.slice(at, at + SLOTS / 2);
      await answered(some.flatMap(key => [ask(of, 'z', 0, true, key), ask(of, 'z', 0, false, key)]));
    }
  }
});

test('signatures of the other kinds', async () => {
  const of = await running();
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const pss: VerifyKeyObjectInput = { key: pairs[0]!.publicKey, ...options };
  const ecdsa: VerifyKeyObjectInput = { key: ec.publicKey, dsaEncoding: 'ieee-p1363' };
  const text = Buffer.from('text');
  const kinds = [
    [pss, sign('sha256', text, { key: pairs[0]!.privateKey, ...options })],
    [ecdsa, sign('sha256', text, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })],
  ] as const;
  const all: Asked[] = [];
  for (const [key, signature] of kinds) {
    for (const token of ['text', 'Text']) {
      const asked: Asked = { token, fits: token === 'text', answers: [] };
      of.check(asked, 'sha256', token.length, key, signature);
      all.push(asked);
    }
  }
  await answered(all);
});

test('whoever throws when it is told is not on the way of the others', async () => {
  const answers: number[] = [];
  const of = new SignatureThreads<{ token: string; at: number }>({
    done: ({ at }) => {
      answers.push(at);
      if (at % 3 === 0) throw new Error(`of ${at}`);
    },
    lost: why => losses.push(why),
  });
  const thrown: unknown[] = [];
  const kept = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', error => thrown.push(error.message));
  try {
    const signature = sign('sha256', Buffer.from('a'), pairs[0]!.privateKey);
    const check = (at: number) => of.check({ token: 'a', at }, 'sha256', 1, pairs[0]!.publicKey, signature);
    check(0);
    while (!of.running) await pause(5);
    for (let at = 1; at < 30; at += 1) check(at);
    while (answers.length < 30) await pause(5);
    await pause(5);
    assert.deepEqual(thrown.length, 10);
  } finally {
    process.removeAllListeners('uncaughtException');
    kept.forEach(listener => process.on('uncaughtException', listener));
    of.close();
  }
});

test('a thread that is lost is told of once, and everything is answered all the same', async () => {
  const lost: string[] = [];
  const workers: Worker[] = [];
  const found = (worker: Worker) => workers.push(worker);
  process.on('worker', found);
  const of = new SignatureThreads<Asked>({
    done: ({ answers }, fits) => answers.push(fits),
    lost: why => lost.push(why),
  });
  started.push(of);
  ask(of, 'starts them', 0);
  await runs(of);
  process.off('worker', found);
  const under = mixed(of, 2 * SLOTS);
  // Its promise keeps no process alive once the last answer has let go of the thread.
  void workers[0]!.terminate();
  while (lost.length === 0) await pause(5);
  await answered([...under, ...mixed(of, 10)]);
  assert.deepEqual([lost, of.running], [['it ended'], false]);
});

test('a key that cannot check the signature is no end of a thread', async () => {
  const of = await running();
  const { publicKey } = generateKeyPairSync('x25519');
  await answered([{ ...ask(of, 'a', 0, true, publicKey), fits: false }]);
  await answered(mixed(of, 10));
  assert.ok(of.running);
});

test('when the threads end, what is under way is answered, and so is what comes after', async () => {
  const of = await running();
  const under = mixed(of, SLOTS + 10);
  of.close();
  assert.equal(of.running, false);
  await answered([...under, ...mixed(of, 10)]);
  assert.equal(of.running, false, 'they are not started again');
});

test('a question keeps the process alive until it is answered, and the threads do not', () => {
  const script = `
    const { SignatureThreads } = require(${JSON.stringify(join(__dirname, 'signatureThreads'))});
    const { generateKeyPairSync, sign } = require('node:crypto');
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signature = sign('sha256', Buffer.from('a'), privateKey);
    let answers = 0;
    const threads = new SignatureThreads({ done: () => { answers += 1; }, lost: console.log });
    const check = () => threads.check({ token: 'a' }, 'sha256', 1, publicKey, signature);
    check();
    const wait = setInterval(() => {
      if (!threads.running) return;
      clearInterval(wait);
      check();
      check();
    }, 5);
    process.on('exit', () => console.log(answers, threads.running));`;
  // What is loaded first has nothing to do with the threads.
  const preload = join(mkdtempSync(join(tmpdir(), 'preload-')), 'preload.js');
  writeFileSync(
    preload,
    "if (require('node:worker_threads').workerData?.layout) require('node:fs').writeSync(1, 'in a thread ');",
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', '-e', script], {
    env: { ...process.env, NODE_OPTIONS: `--require ${preload}` },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.deepEqual([stdout.trim(), status], ['3 true', 0], stderr);
});
