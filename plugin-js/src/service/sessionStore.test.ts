import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, jobRecordOf, recordOf } from '../../e2e/support/core';
import { databaseFolder, databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { DATABASES, postgres } from '../../e2e/support/eachDatabase';
import { WITHOUT_POSTGRES } from '../../e2e/support/postgres';
import { EntraCore, type Principal } from '../core';
import { principalKey } from './sessions';
import { SessionStore } from './sessionStore';
import { SharedSessions } from './sharedSessions';

const NOW = 1_800_000_000;
const REF = 'user:default/somebody';
const olivia = recordOf({ objectId: people.olivia.oid });
const dana = recordOf({ objectId: people.dana.oid });

type Opened = Awaited<ReturnType<typeof databaseOf>>;

for (const { name, skip, open } of DATABASES) {
  describe(`sessions in ${name}`, { skip }, () => {
    let database: Opened;
    let store: SessionStore;
    beforeEach(async () => {
      database = await open();
      store = await SessionStore.open(database.service);
    });
    afterEach(async () => {
      await database.knex('entra_access_sessions').delete();
      await database.knex('entra_access_revisions').update({ value: 0 });
      await database.close();
    });

    test('what was written is found as it was', async () => {
      const record = recordOf({ name: 'Ölivia \u0000 "O"', groups: { state: 'known', ids: [people.adam.oid] } });
      const written = await store.write(REF, record, NOW + 3600, NOW);
      const expected = { entityRef: REF, principal: principalKey(record), record, ...written };
      assert.equal(written.expiresAt, NOW + 3600);
      assert.deepEqual(await store.find(REF), expected);
      assert.deepEqual(await store.since(0, 10), [expected]);
      assert.equal(await store.find('user:default/another'), undefined);
    });

    test('a version of before that writes beside this one says nothing of when the token was issued', async () => {
      await store.write(REF, { ...olivia, issuedAt: NOW - 10 }, NOW + 3600, NOW);
      assert.equal(((await store.find(REF))?.record as Principal).issuedAt, NOW - 10);
      // As it writes an older token: the columns that it does not know stay.
      const written = { record: JSON.stringify(olivia), expires_at: NOW + 7200, revision: 2, since: 1 };
      await database.knex('entra_access_sessions').where({ entity_ref: REF }).update(written);
      await database.knex('entra_access_revisions').where({ name: 'sessions' }).update({ value: 2 });
      assert.deepEqual((await store.find(REF))?.record, olivia);
      await store.write(REF, { ...olivia, issuedAt: NOW - 5 }, NOW + 3600, NOW);
      assert.equal(((await store.since(2, 10))[0]?.record as Principal).issuedAt, NOW - 5);
    });

    test('the tables are made once, and a second opening changes nothing', async () => {
      await store.write(REF, olivia, NOW + 3600, NOW);
      const again = await SessionStore.open(database.service);
      assert.equal((await again.find(REF))?.principal, principalKey(olivia));
      assert.equal(await again.revision(), 1);
    });

    test('numbers ascend, and a newer sign-in takes the place of the older one', async () => {
      assert.equal(await store.revision(), 0);
      const hour = { expiresAt: NOW + 3600 };
      assert.deepEqual(await store.write(REF, olivia, NOW + 3600, NOW), { revision: 1, since: 1, ...hour });
      assert.deepEqual(await store.write('user:default/dana', dana, NOW + 3600, NOW), {
        revision: 2,
        since: 2,
        ...hour,
      });
      const fewer = recordOf({ objectId: people.olivia.oid, groups: { state: 'none', ids: [] } });
      const shorter = { expiresAt: NOW + 1800 };
      assert.deepEqual(await store.write(REF, fewer, NOW + 1800, NOW), { revision: 3, since: 3, ...shorter });
      assert.equal(await store.revision(), 3);
      assert.deepEqual((await store.find(REF))?.record, fewer);
      assert.deepEqual(
        (await store.since(0, 10)).map(({ revision }) => revision),
        [2, 3],
      );
      assert.deepEqual(
        (await store.since(0, 1)).map(({ entityRef }) => entityRef),
        ['user:default/dana'],
      );
      assert.deepEqual(await store.since(3, 10), []);
    });

    test('the same person with the same groups is as before, whatever else is new', async () => {
      const since = async (record: Principal, expiresAt: number, now = NOW) =>
        (await store.write(REF, record, expiresAt, now)).since;
      const inGroups = (ids: string[], change: Partial<Principal> = {}) =>
        recordOf({ objectId: people.olivia.oid, groups: { state: 'known', ids }, ...change });
      const [a, b] = [groups.payments.id, groups.searchEngineers.id];
      assert.equal(await since(inGroups([a, b]), NOW + 60), 1);
      const assurance = { authContexts: ['c1'], mfa: true, signedInAt: NOW };
      assert.equal(await since(inGroups([b, a], { assurance, name: 'O', expiresAt: NOW + 9 }), NOW + 3600), 1);
      assert.deepEqual((await store.find(REF))?.since, 1);
      assert.deepEqual(
        (await store.since(1, 10)).map(({ revision, since: as }) => [revision, as]),
        [[2, 1]],
      );
      assert.equal(await since(inGroups([a]), NOW + 3600), 3);
      assert.equal(await since(inGroups([a], { roles: ['R'] }), NOW + 3600), 4);
      assert.equal(await since(inGroups([a], { roles: ['R'], groups: { state: 'unknown', ids: [a] } }), NOW + 3600), 5);
      // Another principal, when the session has ended.
      assert.equal(await since({ ...olivia, objectId: people.rita.oid }, NOW + 9999, NOW + 3600), 6);
      await database.knex('entra_access_sessions').update({ record: 'nothing that can be read' });
      assert.equal(await since({ ...olivia, objectId: people.rita.oid }, NOW + 9999, NOW + 3600), 7);
    });

    test('a ref is refused to another principal until the session ends, and the refusal takes no number', async () => {
      await store.write(REF, olivia, NOW + 3600, NOW);
      await assert.rejects(store.write(REF, dana, NOW + 9999, NOW), {
        name: 'ConflictError',
        code: 'principal_conflict',
      });
      await assert.rejects(store.write(REF, dana, NOW + 9999, NOW + 3599), { code: 'principal_conflict' });
      assert.equal((await store.find(REF))?.principal, principalKey(olivia));
      assert.equal(await store.revision(), 1);
      await store.write(REF, dana, NOW + 9999, NOW + 3600);
      assert.equal((await store.find(REF))?.principal, principalKey(dana));
    });

    test('jobs of a pipeline share a session, which lasts for the one that lasts longest', async () => {
      const ref = 'pipeline:gitlab/payments-staging.42';
      const job = jobRecordOf();
      await store.write(ref, job, NOW + 300, NOW);
      assert.equal((await store.write(ref, job, NOW + 60, NOW + 10)).expiresAt, NOW + 300);
      assert.equal((await store.find(ref))?.expiresAt, NOW + 300);
      assert.equal((await store.write(ref, job, NOW + 400, NOW + 20)).expiresAt, NOW + 400);
      assert.equal((await store.write(ref, job, NOW + 440, NOW + 400)).expiresAt, NOW + 440);
      const other = jobRecordOf({ trust: 'payments-production' });
      await assert.rejects(store.write(ref, other, NOW + 500, NOW + 430), { code: 'principal_conflict' });
    });

    test('of two principals who sign in under one ref at once exactly one is let in', async () => {
      const other = await open();
      // In memory each connection would have a database of its own.
      const second = name === 'PostgreSQL' ? await SessionStore.open(other.service) : store;
      for (let round = 0; round < 20; round += 1) {
        const ref = `user:default/round-${round}`;
        const [one, two] = await Promise.allSettled([
          store.write(ref, olivia, NOW + 3600, NOW),
          second.write(ref, dana, NOW + 3600, NOW),
        ]);
        const winners = [one, two].filter(({ status }) => status === 'fulfilled');
        assert.equal(winners.length, 1);
        const [loser] = [one, two].filter(result => result.status === 'rejected');
        assert.equal((loser as PromiseRejectedResult).reason.code, 'principal_conflict');
        const winner = one.status === 'fulfilled' ? olivia : dana;
        assert.equal((await store.find(ref))?.principal, principalKey(winner));
      }
      await other.close();
    });

    test('whoever reads by number misses no write, however many write at once', async () => {
      const others = name === 'PostgreSQL' ? await Promise.all([open(), open()]) : [];
      const stores = [store, ...(await Promise.all(others.map(({ service }) => SessionStore.open(service))))];
      const seen = new Set<string>();
      let last = 0;
      const read = async () => {
        const latest = await store.revision();
        const rows = await store.since(last, 1000);
        rows.forEach(({ entityRef }) => seen.add(entityRef));
        last = latest;
      };
      let writing = true;
      const reader = (async () => {
        while (writing) await read();
      })();
      const refs = Array.from({ length: 120 }, (_, at) => `user:default/writer-${at}`);
      await Promise.all(refs.map((ref, at) => stores[at % stores.length]!.write(ref, olivia, NOW + 3600, NOW)));
      writing = false;
      await reader;
      await read();
      assert.deepEqual([...seen].sort(), [...refs].sort());
      assert.equal(await store.revision(), refs.length);
      await Promise.all(others.map(({ close }) => close()));
    });

    test('expired sessions are removed, the oldest first and no more than asked for', async () => {
      for (let at = 0; at < 5; at += 1) await store.write(`user:default/old-${at}`, olivia, NOW + at, NOW - 10);
      await store.write(REF, olivia, NOW + 3600, NOW);
      assert.equal(await store.removeExpired(NOW - 1, 100), 0);
      assert.equal(await store.removeExpired(NOW + 3, 3), 3);
      assert.equal(await store.find('user:default/old-2'), undefined);
      assert.ok(await store.find('user:default/old-3'));
      assert.equal(await store.removeExpired(NOW + 3, 3), 1);
      assert.ok(await store.find('user:default/old-4'), 'expires a second later');
      assert.ok(await store.find(REF));
      assert.equal(await store.revision(), 6, 'a removal is no write');
    });

    test('a row that is not even JSON comes out as nothing that the core would read', async () => {
      await store.write(REF, olivia, NOW + 3600, NOW);
      await database.knex('entra_access_sessions').update({ record: '{"kind":' });
      assert.equal((await store.find(REF))?.record, null);
    });

    test('a ref that no database takes does not make it look as if it were away', async () => {
      const { tenantId } = olivia;
      const configuration = configurationOf({ authority: 'http://127.0.0.1:1', tenantId });
      const [core, logger] = [new EntraCore({ configuration, logger: new RecordingLogger() }), new RecordingLogger()];
      const sessions = new SharedSessions({ core, logger, storeExpected: true });
      await sessions.attach(store);
      for (const ref of [
        'user:default/\u0000',
        'user:default/a\u0007',
        'user:default/\ud800',
        `user:x/${'y'.repeat(9999)}`,
      ]) {
        await sessions.ensure(ref, { until: NOW });
        assert.equal(sessions.find(ref), undefined);
      }
      assert.deepEqual([sessions.store, logger.lines], [{ kind: 'database' }, []]);
      sessions.close();
      core.close();
    });

    test('without its counter nothing is written', async () => {
      await database.knex('entra_access_revisions').delete();
      await assert.rejects(store.write(REF, olivia, NOW + 3600, NOW), /no row for sessions/);
      assert.equal(await store.find(REF), undefined);
      await assert.rejects(store.revision(), /no row for sessions/);
      await database.knex('entra_access_revisions').insert({ name: 'sessions', value: 0 });
    });
  });
}

test(
  'while PostgreSQL is away known sessions go on and nobody signs in; afterwards all is well',
  { skip: WITHOUT_POSTGRES },
  async () => {
    const database = await databaseOf('pg', { ...postgres.connection });
    const logger = new RecordingLogger();
    const { tenantId } = olivia;
    const core = new EntraCore({
      configuration: configurationOf({ authority: 'http://127.0.0.1:1', tenantId }),
      logger,
    });
    const sessions = new SharedSessions({ core, logger, storeExpected: true });
    const store = await SessionStore.open(database.service);
    await sessions.attach(store);
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    await sessions.establish(REF, olivia, expiresAt);
    await postgres.pause();
    // Once only: the next question would wait for the pool, which goes on trying until our own limit of 5 seconds.
    await assert.rejects(sessions.establish(REF, olivia, expiresAt + 1), {
      name: 'ServiceUnavailableError',
      code: 'sessions_unavailable',
    });
    assert.equal(core.describe(sessions.find(REF)!)?.objectId, people.olivia.oid);
    assert.match(sessions.store.error ?? '', /^\w+$/);
    assert.doesNotMatch(logger.lines.join(), /insert|select|update/i);
    await postgres.resume();
    await assert.rejects(sessions.establish(REF, dana, expiresAt), { code: 'principal_conflict' });
    await sessions.establish(REF, olivia, expiresAt + 1);
    assert.deepEqual(sessions.store, { kind: 'database' });
    assert.equal((await store.find(REF))?.expiresAt, expiresAt + 1);
    sessions.close();
    core.close();
    await database.close();
  },
);

test('a file of SQLite keeps sessions over a restart', async () => {
  const { directory, remove } = databaseFolder();
  const first = await databaseOf('better-sqlite3', { directory });
  await (await SessionStore.open(first.service)).write(REF, olivia, NOW + 3600, NOW);
  await first.close();
  const second = await databaseOf('better-sqlite3', { directory });
  assert.deepEqual((await (await SessionStore.open(second.service)).find(REF))?.record, olivia);
  await second.close();
  remove();
});

test('an operator who skips migrations gets none', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  await SessionStore.open({ ...database.service, getClient: async () => database.knex, migrations: { skip: true } });
  assert.equal(await database.knex.schema.hasTable('entra_access_sessions'), false);
  await database.close();
});

test('migrations go forward only', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  await SessionStore.open(database.service);
  const { config } = database.knex.client as { config: object };
  assert.ok(config);
  await assert.rejects(database.knex.migrate.rollback({ directory: `${__dirname}/../../migrations` }), /forward only/);
  assert.equal(await database.knex.schema.hasTable('entra_access_sessions'), true);
  await database.close();
});
