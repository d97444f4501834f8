import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, DELETE, DIRECTORY, POLICY, READ, recordOf } from '../../e2e/support/core';
import { databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { statusOf, whoami } from '../access/views';
import { EntraCore, type Principal } from '../core';
import { EntraPermissionPolicy } from '../permission/policy';
import { EntraAccess } from './entraAccess';
import { SessionStore } from './sessionStore';
import { SharedSessions } from './sharedSessions';

const CONFIGURATION = configurationOf({
  authority: 'http://127.0.0.1:1',
  tenantId: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
});
const REF = `user:default/${people.olivia.oid}`;
const START = 1_800_000_000;

let now: number;
let database: Awaited<ReturnType<typeof databaseOf>>;
let store: SessionStore;
let logger: RecordingLogger;
/** Questions to the database by the name of the method, and what makes them fail */
let asked: string[];
let broken: Error | undefined;
let held: Promise<unknown> | undefined;
const open: Array<{ close(): void }> = [];

beforeEach(async () => {
  now = START;
  logger = new RecordingLogger();
  asked = [];
  broken = undefined;
  held = undefined;
  database = await databaseOf('better-sqlite3', ':memory:');
  const real = await SessionStore.open(database.service);
  store = new Proxy(real, {
    get(target, name: keyof SessionStore) {
      // A promise that is resolved with it looks for `then`.
      if (!(name in target)) return undefined;
      return async (...args: unknown[]) => {
        asked.push(name);
        if (broken) throw broken;
        const answer: unknown = await Reflect.apply(target[name] as () => unknown, target, args);
        await held;
        return answer;
      };
    },
  });
});
afterEach(async () => {
  open.splice(0).forEach(each => each.close());
  await database.close();
});

const olivia = (ids: string[] = [groups.payments.id], change: Partial<Principal> = {}) =>
  recordOf({ groups: { state: 'known', ids }, ...change });

/** A replica: a core and sessions of its own, with the database that all share unless said otherwise */
async function replica(options: { attached?: boolean; storeExpected?: boolean; waitMs?: number } = {}) {
  const clock = () => now * 1000;
  const core = new EntraCore({ configuration: CONFIGURATION, logger, clock });
  core.setPolicy(POLICY, 'policy');
  core.setDirectory(DIRECTORY);
  const { storeExpected = true, waitMs = 50 } = options;
  const sessions = new SharedSessions({ core, logger, storeExpected, clock, waitMs });
  if (options.attached !== false) await sessions.attach(store);
  open.push(sessions, core);
  const owners = () => {
    const handle = sessions.find(REF);
    return handle === undefined ? undefined : core.owners(handle, { onlyOwning: true });
  };
  return { core, sessions, owners };
}

test('a session is there for another replica, and after a restart, until it ends', async () => {
  const one = await replica();
  await one.sessions.establish(REF, olivia(), START + 3600);
  assert.deepEqual(one.owners(), ['group:default/payments']);
  const two = await replica();
  assert.equal(two.sessions.find(REF), undefined);
  await two.sessions.ensure(REF);
  assert.deepEqual(two.owners(), ['group:default/payments']);
  assert.equal(two.core.describe(two.sessions.find(REF)!)?.expiresAt, START + 3600);
  now = START + 3600;
  assert.equal(two.sessions.find(REF), undefined);
  await two.sessions.ensure(REF);
  assert.equal(two.sessions.find(REF), undefined, 'nor does the row bring it back');
});

test('a newer sign-in with fewer groups replaces the older one everywhere with the next poll', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.sessions.establish(REF, olivia(), START + 3600);
  await two.sessions.ensure(REF);
  await one.sessions.establish(REF, olivia([]), START + 3600);
  assert.deepEqual(two.owners(), ['group:default/payments'], 'not yet');
  await two.sessions.poll();
  assert.deepEqual(two.owners(), []);
  await one.sessions.poll();
  assert.deepEqual(one.owners(), []);
});

test('a newer sign-in that has ended by the time it is seen ends the older one with it', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.sessions.establish(REF, olivia(), START + 3600);
  await two.sessions.ensure(REF);
  await one.sessions.establish(REF, olivia([]), START + 60);
  now = START + 60;
  await two.sessions.poll();
  assert.equal(two.sessions.find(REF), undefined);
});

test('the poll brings in sign-ins of others, and asks for no rows when there is nothing new', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.sessions.establish(REF, olivia(), START + 3600);
  await two.sessions.poll();
  assert.deepEqual(two.owners(), ['group:default/payments'], 'without having been looked for');
  asked.length = 0;
  await two.sessions.poll();
  assert.deepEqual(asked, ['revision']);
});

test('many sign-ins come in page by page', async () => {
  const [one, two] = [await replica(), await replica()];
  const ref = (at: number) => `user:default/u${at}`;
  for (let at = 0; at < 1_001; at += 1) await one.sessions.establish(ref(at), olivia(), START + 3600);
  asked.length = 0;
  await two.sessions.poll();
  assert.deepEqual(asked, ['revision', 'since', 'since', 'since']);
  assert.equal(two.sessions.size, 1_001);
});

test('an answer that was overtaken by a newer one changes nothing', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.sessions.establish(REF, olivia(), START + 3600);
  let release = () => undefined as void;
  held = new Promise<void>(resolve => (release = resolve));
  const loading = two.sessions.ensure(REF);
  while (!asked.includes('find')) await pause(1);
  await pause(20);
  held = undefined;
  await one.sessions.establish(REF, olivia([]), START + 3600);
  await two.sessions.poll();
  release();
  await loading;
  assert.deepEqual(two.owners(), [], 'the older row came last');
});

test('another principal under the ref is refused before a token is issued, and when it is written', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.sessions.establish(REF, olivia(), START + 3600);
  const dana = olivia([groups.platformAdmins.id], { objectId: people.dana.oid });
  for (const attempt of [
    () => two.sessions.prepare(REF, dana),
    () => two.sessions.establish(REF, dana, START + 9999),
  ]) {
    await assert.rejects(attempt(), { name: 'ConflictError', code: 'principal_conflict' });
  }
  assert.equal(two.sessions.store.error, undefined, 'that is an answer, not a failure');
  await two.sessions.ensure(REF);
  assert.deepEqual(two.owners(), ['group:default/payments']);
  now = START + 3600;
  await two.sessions.prepare(REF, dana);
  await two.sessions.establish(REF, dana, START + 9999);
  await one.sessions.poll();
  assert.equal(one.core.describe(one.sessions.find(REF)!)?.objectId, people.dana.oid);
});

test('what was given up to make room comes back from the database', async () => {
  const { sessions, owners } = await replica();
  await sessions.establish(REF, olivia(), START + 3600);
  const crowd = olivia([], { objectId: people.dana.oid });
  for (let at = 0; at < 50_000; at += 1)
    sessions.put(`user:default/u${at}`, crowd, START + 3600, { revision: 0, since: 0 });
  assert.equal(sessions.find(REF), undefined, 'it was given up');
  await sessions.ensure(REF);
  assert.deepEqual(owners(), ['group:default/payments']);
});

test('a ref without a session is looked for once in a while, by one question for all who wait', async () => {
  const { sessions, owners } = await replica();
  asked.length = 0;
  await Promise.all([sessions.ensure(REF), sessions.ensure(REF), sessions.ensure(REF)]);
  await sessions.ensure(REF);
  assert.deepEqual(asked, ['find']);
  now += 3;
  await sessions.ensure(REF);
  assert.deepEqual(asked, ['find', 'find']);
  // A sign-in here or elsewhere ends the waiting at once.
  const other = await replica();
  await other.sessions.establish(REF, olivia(), START + 3600);
  await sessions.poll();
  assert.deepEqual(owners(), ['group:default/payments']);
});

test('a session in memory costs no question', async () => {
  const { sessions } = await replica();
  await sessions.establish(REF, olivia(), START + 3600);
  asked.length = 0;
  for (let round = 0; round < 10; round += 1) await sessions.ensure(REF);
  assert.deepEqual(asked, []);
});

test('what the core refuses to read signs nobody in, and is reported once without its content', async () => {
  const one = await replica();
  await one.sessions.establish(REF, olivia(), START + 3600);
  for (const record of [
    '{"kind":',
    'null',
    '"secret"',
    JSON.stringify({ ...olivia(), admin: 'secret' }),
    JSON.stringify({ ...olivia(), groups: { state: 'known', ids: ['secret'] } }),
    JSON.stringify({ ...olivia(), kind: 'secret' }),
    JSON.stringify({ ...olivia(), groups: undefined }),
  ]) {
    await database.knex('entra_access_sessions').update({ record });
    logger.clear();
    const two = await replica();
    await two.sessions.ensure(REF);
    await two.sessions.ensure(REF);
    now += 10;
    await two.sessions.ensure(REF);
    assert.equal(two.sessions.find(REF), undefined, record);
    assert.deepEqual(logger.complaints, [
      `warn: the stored session of ${REF} is not one that this version writes; it is ignored`,
    ]);
    await two.sessions.establish(REF, olivia(), START + 3600);
    assert.deepEqual(two.owners(), ['group:default/payments'], 'the next sign-in mends it');
  }
});

test('without the database known sessions go on, unknown ones are nobody, and nobody signs in', async () => {
  const { core, sessions, owners } = await replica();
  await sessions.establish(REF, olivia(), START + 3600);
  broken = Object.assign(new Error("insert into `x` values ('olivia@contoso.example') - connect ECONNREFUSED"), {
    code: 'ECONNREFUSED',
  });
  const unavailable = (error: Error & { code?: string }) => {
    assert.equal(error.name, 'ServiceUnavailableError');
    assert.equal(error.code, 'sessions_unavailable');
    assert.doesNotMatch(error.message, /contoso|insert/);
    return true;
  };
  await assert.rejects(sessions.prepare(REF, olivia()), unavailable);
  await assert.rejects(sessions.establish(REF, olivia(), START + 7200), unavailable);
  await assert.rejects(sessions.poll(), unavailable);
  assert.deepEqual(owners(), ['group:default/payments']);
  assert.equal(core.describe(sessions.find(REF)!)?.expiresAt, START + 3600);
  await sessions.ensure('user:default/unknown');
  assert.equal(sessions.find('user:default/unknown'), undefined);
  assert.deepEqual(sessions.store, { kind: 'database', error: 'ECONNREFUSED' });
  assert.deepEqual(logger.complaints, [
    'error: the database for sessions does not answer (ECONNREFUSED): nobody can sign in, known sessions go on until they expire',
  ]);
  broken = undefined;
  await sessions.poll();
  assert.deepEqual(sessions.store, { kind: 'database' });
  await sessions.establish(REF, olivia([]), START + 7200);
  assert.deepEqual(owners(), []);
});

test('while the database is away it is not asked for every unknown ref', async () => {
  const { sessions } = await replica();
  broken = new Error('away');
  await sessions.ensure('user:default/one');
  asked.length = 0;
  await sessions.ensure('user:default/two');
  assert.deepEqual(asked, []);
  broken = undefined;
  now += 1;
  await sessions.ensure('user:default/two');
  assert.deepEqual(asked, ['find']);
});

test('whoever is too many to be looked for is told so, and not taken for nobody', async () => {
  const { sessions } = await replica();
  let release!: () => void;
  held = new Promise<void>(resolve => (release = resolve));
  const waiting = Array.from({ length: 1_000 }, (_, at) => sessions.ensure(`user:default/made-up-${at}`));
  assert.equal(await sessions.ensure(REF), false);
  const unknown = await sessions.whyUnknown(REF);
  assert.deepEqual([unknown?.name, (unknown as any)?.code], ['ServiceUnavailableError', 'sessions_unavailable']);
  release();
  held = undefined;
  assert.ok((await Promise.all(waiting)).every(Boolean));
  assert.deepEqual([await sessions.ensure(REF), await sessions.whyUnknown(REF)], [true, undefined]);
});

test('a database that does not answer keeps nobody waiting for ever', async context => {
  const { sessions } = await replica();
  context.mock.timers.enable({ apis: ['setTimeout'] });
  held = new Promise(() => undefined);
  const refused = assert.rejects(sessions.prepare(REF, olivia()), { code: 'sessions_unavailable' });
  await new Promise(resolve => setImmediate(resolve));
  context.mock.timers.tick(5_000);
  await refused;
  assert.equal(sessions.store.error, 'TimeoutError');
});

test('a database from a backup: what is in memory is asked for again', async () => {
  const { sessions, owners } = await replica();
  await sessions.establish(REF, olivia([]), START + 3600);
  await sessions.establish(REF, olivia(), START + 3600);
  await sessions.poll();
  await database.knex('entra_access_sessions').delete();
  await database.knex('entra_access_revisions').update({ value: 1 });
  await sessions.poll();
  await sessions.ensure(REF);
  assert.equal(owners(), undefined);
  const other = await replica();
  await other.sessions.establish(REF, olivia([]), START + 3600);
  await sessions.poll();
  assert.deepEqual(owners(), [], 'and numbers count on from there');
});

test('a sign-in at the start waits for the database, and is refused when it does not come', async () => {
  const { sessions } = await replica({ attached: false });
  await assert.rejects(sessions.prepare(REF, olivia()), {
    name: 'ServiceUnavailableError',
    code: 'sessions_unavailable',
  });
  await assert.rejects(sessions.establish(REF, olivia(), START + 3600), { code: 'sessions_unavailable' });
  await sessions.ensure(REF);
  assert.equal(sessions.find(REF), undefined);
  assert.deepEqual(sessions.store, { kind: 'starting' });
  const patient = await replica({ attached: false, waitMs: 5_000 });
  const waiting = patient.sessions.establish(REF, olivia(), START + 3600);
  await patient.sessions.attach(store);
  await waiting;
  assert.equal((await store.find(REF))?.expiresAt, START + 3600);
});

test('without the plugin sign-ins are kept in memory, and that is said once', async () => {
  const { sessions, owners } = await replica({ attached: false, storeExpected: false });
  await sessions.prepare(REF, olivia());
  await sessions.establish(REF, olivia(), START + 3600);
  await sessions.establish(REF, olivia(), START + 3600);
  await sessions.ensure('user:default/unknown');
  assert.deepEqual(owners(), ['group:default/payments']);
  assert.deepEqual(sessions.store, { kind: 'memory' });
  assert.equal(logger.complaints.length, 1);
  assert.match(
    logger.complaints[0] ?? '',
    /^warn: sign-ins are kept in memory only, because the plugin entra-access is/,
  );
  const dana = olivia([], { objectId: people.dana.oid });
  await assert.rejects(sessions.prepare(REF, dana), { code: 'principal_conflict' });
});

test('a row holds no address, and a display name like one is the same for every replica', async () => {
  const one = await replica();
  await one.sessions.establish(REF, olivia([], { name: 'olivia@contoso.example' }), START + 3600);
  assert.doesNotMatch(JSON.stringify(await database.knex('entra_access_sessions')), /@/);
  assert.equal(one.core.describe(one.sessions.find(REF)!)?.name, null);
  await one.sessions.establish(REF, olivia([], { name: 'Olivia Owner' }), START + 3600);
  const two = await replica();
  await two.sessions.ensure(REF);
  assert.equal(two.core.describe(two.sessions.find(REF)!)?.name, 'Olivia Owner');
});

test('the timer polls, goes on after a failure, and ends', async context => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { sessions } = await replica();
  const round = async () => {
    context.mock.timers.tick(2_000);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => setImmediate(resolve));
  };
  asked.length = 0;
  broken = new Error('away');
  await round();
  broken = undefined;
  await round();
  assert.deepEqual(asked, ['revision', 'revision']);
  sessions.close();
  await round();
  assert.deepEqual(asked, ['revision', 'revision']);
});

test('policy, whoami and status go by the database', async () => {
  const configuration = { json: CONFIGURATION, policy: { json: POLICY, place: 'policy' } };
  const entraAccess = new EntraAccess(configuration, logger, { storeExpected: true });
  open.push(entraAccess);
  entraAccess.core.setDirectory(DIRECTORY);
  await entraAccess.sessions.attach(store);
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  await store.write(REF, olivia(), expiresAt, START);
  const policy = new EntraPermissionPolicy(entraAccess);
  const ask = (userEntityRef: string, { name, action }: typeof READ) =>
    policy.handle({ permission: { type: 'resource', name, attributes: { action }, resourceType: 'catalog-entity' } }, {
      credentials: { principal: { type: 'user', userEntityRef } },
    } as Parameters<typeof policy.handle>[1]);
  assert.equal((await ask(REF, DELETE)).result, 'CONDITIONAL', 'loaded when it was asked for');
  assert.equal((await ask('user:default/unknown', READ)).result, 'DENY');
  broken = Object.assign(new Error('away'), { code: 'SQLITE_BUSY' });
  assert.equal((await ask('user:default/another', READ)).result, 'DENY');
  assert.equal((await ask(REF, DELETE)).result, 'CONDITIONAL');
  assert.throws(() => whoami(entraAccess, 'user:default/another'), {
    name: 'ServiceUnavailableError',
    code: 'sessions_unavailable',
  });
  const directory = {} as Parameters<typeof statusOf>[1];
  assert.deepEqual(statusOf(entraAccess, directory).sessionStore, { kind: 'database', error: 'SQLITE_BUSY' });
});
