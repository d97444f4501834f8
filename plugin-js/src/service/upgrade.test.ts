/** A database that an earlier version has made, on every database that Backstage takes */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { people } from '../../dev/tenant/people';
import { recordOf } from '../../e2e/support/core';
import { DATABASES } from '../../e2e/support/eachDatabase';
import { assertSame, followed, startFollowedTenant } from '../../e2e/support/follow';
import type { Database } from '../follow/feeds';
import { SessionStore } from './sessionStore';

const MIGRATIONS = join(__dirname, '..', '..', 'migrations');
/** Since then there are columns that others of its builds had made already */
const NEXT = '20261128200000_versions_of_rows.js';
const NOW = 1_800_000_000;

/** As builds of one day had made it */
async function withColumns(knex: Database): Promise<void> {
  await knex.schema.alterTable('entra_access_sessions', table => void table.bigInteger('issued_revision').nullable());
  await knex.schema.alterTable('entra_access_feeds', table => {
    table.string('generation', 36).notNullable().defaultTo('');
    table.bigInteger('round_since').nullable();
    table.integer('round_pages').notNullable().defaultTo(0);
  });
  await knex.schema.alterTable(
    'entra_access_revisions',
    table => void table.bigInteger('catalog').notNullable().defaultTo(0),
  );
}

const CASES = DATABASES.flatMap(database => [
  { ...database, before: async () => undefined },
  { ...database, name: `${database.name}, some columns there already`, before: withColumns },
]);

for (const { name, skip, open, before } of CASES) {
  test(`${name}: what an earlier version has begun is gone on with`, { skip }, async t => {
    const database = await open();
    t.after(() => database.close());
    const tenant = await startFollowedTenant();
    t.after(() => tenant.close());
    const { knex } = database;
    // A server outlives a test, and so do its tables.
    if (knex.client.config.client === 'pg') await knex.raw('drop schema public cascade; create schema public');
    for (const each of readdirSync(MIGRATIONS).sort())
      if (each < NEXT) await knex.migrate.up({ directory: MIGRATIONS, name: each } as object);
    await before(knex);
    const begun = { format: 1, revision: 3, changed: 0, load: 0, staged: 0, staged_pages: 0 };
    await knex('entra_access_feeds').insert({ tenant: tenant.tenantId, feed: 'users', ...begun });

    const sessions = await SessionStore.open(database.service);
    const olivia = recordOf({ objectId: people.olivia.oid, issuedAt: NOW });
    await sessions.write('user:default/olivia', olivia, NOW + 3600, NOW);
    assert.deepEqual((await sessions.find('user:default/olivia'))?.record, olivia);
    const it = await followed(tenant, database);
    t.after(() => it.close());
    const [{ run, logger }, one] = [it.writer(), it.replica()];
    await run();
    await one.poll();
    assert.deepEqual(logger.complaints, []);
    assertSame(one.core, tenant);
  });
}
