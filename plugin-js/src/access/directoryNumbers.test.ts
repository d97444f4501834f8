import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { databaseOf } from '../../e2e/support/databases';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from '../../e2e/support/postgres';
import { SessionStore } from '../service/sessionStore';
import { StoredDirectoryNumbers } from './directoryNumbers';

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
        .update({ value: 0, fingerprint: null });
      await database.close();
    });

    test('begin with none, and go up by one', async () => {
      assert.deepEqual(await numbers.newest(), { epoch: 0, fingerprint: null, members: 0 });
      assert.equal(await numbers.advance(0, 'a'), true);
      assert.deepEqual(await numbers.newest(), { epoch: 1, fingerprint: 'a', members: 0 });
      assert.equal(await numbers.advance(1, 'b'), true);
      assert.deepEqual(await numbers.newest(), { epoch: 2, fingerprint: 'b', members: 0 });
    });

    test('only what was read when the number was the newest gets the next one', async () => {
      assert.equal(await numbers.advance(0, 'a'), true);
      assert.equal(await numbers.advance(0, 'late'), false);
      assert.equal(await numbers.advance(7, 'from nowhere'), false);
      assert.deepEqual(await numbers.newest(), { epoch: 1, fingerprint: 'a', members: 0 });
    });

    test('of many at once, one gets it', async () => {
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => numbers.advance(0, `replica ${at}`)));
      assert.equal(outcomes.filter(Boolean).length, 1);
      assert.equal((await numbers.newest()).epoch, 1);
    });

    test('numbers of sign-ins are others', async () => {
      const store = await SessionStore.open(database.service);
      const before = await store.revision();
      assert.equal(await numbers.advance(0, 'a'), true);
      assert.equal(await store.revision(), before);
    });

    test('a writer can commit the number together with its rows', async () => {
      await assert.rejects(
        database.knex.transaction(async transaction => {
          assert.equal(await new StoredDirectoryNumbers(transaction).advance(0, 'a'), true);
          throw new Error('the rows are refused');
        }),
        /the rows are refused/,
      );
      assert.deepEqual(await numbers.newest(), { epoch: 0, fingerprint: null, members: 0 });
    });
  });
}

test('a database that is away is told without its statement', async () => {
  const database = await databaseOf('better-sqlite3', ':memory:');
  const numbers = new StoredDirectoryNumbers(database.knex);
  // No tables.
  await assert.rejects(numbers.newest(), /^Error: the database of entra-access does not answer \(SQLITE_ERROR\)$/);
  await assert.rejects(numbers.advance(0, 'secret'), /^Error: the database of entra-access does not answer/);
  await database.close();
});
