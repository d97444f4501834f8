import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { databaseOf } from '../../e2e/support/databases';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from '../../e2e/support/postgres';
import { FeedStore } from '../follow/feedStore';
import { SessionStore } from '../service/sessionStore';
import { StoredDirectoryNumbers } from './directoryNumbers';

const FEED = { tenant: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03', feed: 'groups' };

let postgres: Postgres | undefined;
before(async () => {
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
});
after(() => postgres?.stop());

const DATABASES = [
  { name: 'SQLite in memory', skip: false, open: () => databaseOf('better-sqlite3', ':memory:') },
  { name: 'PostgreSQL', skip: WITHOUT_POSTGRES, open: () => databaseOf('pg', { ...postgres!.connection }) },
] as const;

for (const { name, skip, open } of DATABASES) {
  describe(`numbers in ${name}`, { skip }, () => {
    let database: Awaited<ReturnType<typeof databaseOf>>;
    let numbers: StoredDirectoryNumbers;
    beforeEach(async () => {
      database = await open();
      await SessionStore.open(database.service);
      numbers = new StoredDirectoryNumbers(database.knex);
    });
    afterEach(async () => {
      await database
        .knex('entra_access_revisions')
        .where({ name: 'directory' })
        .update({ value: 0, fingerprint: null, members: 0, catalog: 0 });
      await database.knex('entra_access_feeds').delete();
      await database.close();
    });

    const first = { epoch: 0, fingerprint: null, members: 0, catalog: 0 };

    test('begin with none, and go up by one', async () => {
      assert.deepEqual(await numbers.newest(), first);
      const one = await numbers.advance(first, 'a');
      assert.deepEqual(one, { epoch: 1, fingerprint: 'a', members: 0, catalog: 1 });
      assert.deepEqual(await numbers.newest(), one);
      const two = await numbers.advance(one!, 'b');
      assert.deepEqual(two, { epoch: 2, fingerprint: 'b', members: 0, catalog: 2 });
      assert.deepEqual(await numbers.newest(), two);
    });

    test('only what was read when the number was the newest gets the next one', async () => {
      const one = await numbers.advance(first, 'a');
      assert.equal(await numbers.advance(first, 'late'), undefined);
      assert.equal(await numbers.advance({ ...first, catalog: 7 }, 'from nowhere'), undefined);
      // As a version of before numbers, which does not count.
      await database.knex('entra_access_revisions').where({ name: 'directory' }).update({ value: 2, fingerprint: 'b' });
      assert.equal(await numbers.advance(one!, 'late'), undefined);
      assert.deepEqual(await numbers.newest(), { epoch: 2, fingerprint: 'b', members: 0, catalog: 1 });
    });

    test('members that change all the time keep no catalog from being taken', async () => {
      const store = new FeedStore(database.knex);
      const members = async () => {
        const groups = (await store.find(FEED)) ?? (await store.open(FEED));
        await store.swap(await store.stage(await store.begin(groups, 0), [], 'link', true));
      };
      await members();
      const taken = await numbers.newest();
      // While the catalog is being read.
      await members();
      await members();
      const numbered = await numbers.advance(taken, 'a');
      assert.deepEqual(numbered, { epoch: 4, fingerprint: 'a', members: 3, catalog: 1 });
      await members();
      assert.deepEqual(await numbers.newest(), { epoch: 5, fingerprint: 'a', members: 5, catalog: 1 });
    });

    test('of many at once, one gets it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, at) => numbers.advance(first, `replica ${at}`)),
      );
      assert.equal(outcomes.filter(Boolean).length, 1);
      assert.equal((await numbers.newest()).epoch, 1);
    });

    test('numbers of sign-ins are others', async () => {
      const store = await SessionStore.open(database.service);
      const before = await store.revision();
      assert.ok(await numbers.advance(first, 'a'));
      assert.equal(await store.revision(), before);
    });

    test('a writer can commit the number together with its rows', async () => {
      await assert.rejects(
        database.knex.transaction(async transaction => {
          assert.ok(await new StoredDirectoryNumbers(transaction).advance(first, 'a'));
          throw new Error('the rows are refused');
        }),
        /the rows are refused/,
      );
      assert.deepEqual(await numbers.newest(), first);
    });
  });
}

test('a database that is away is told without its statement', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const numbers = new StoredDirectoryNumbers(database.knex);
  // No tables.
  await assert.rejects(numbers.newest(), /^Error: the database of entra-access does not answer \(SQLITE_ERROR\)$/);
  await assert.rejects(
    numbers.advance({ epoch: 0, fingerprint: null, catalog: 0 }, 'secret'),
    /^Error: the database of entra-access does not answer/,
  );
  await database.close();
});
