/** What has to hold in every database that Backstage takes: a file imports this once, in tests of its own process */
import { after, before } from 'node:test';
import { databaseOf } from './databases';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './postgres';

/** PostgreSQL while the tests of this file run; `undefined` where there is none */
export let postgres: Postgres;
before(async () => {
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
});
after(async () => {
  await postgres?.stop();
});

export const DATABASES = [
  { name: 'SQLite in memory', skip: false, open: () => databaseOf('better-sqlite3', ':memory:') },
  { name: 'PostgreSQL', skip: WITHOUT_POSTGRES, open: () => databaseOf('pg', { ...postgres.connection }) },
] as const;
