/** A writer whose connections to PostgreSQL break at any statement, as those of a process that is killed: nothing is lost, nothing is half */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groups, people } from '../dev/tenant/people';
import type { Tenant } from '../dev/tenant/tenant';
import { databaseOf } from './support/databases';
import { assertSame, followed, startFollowedTenant } from './support/follow';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';

const skip = WITHOUT_POSTGRES;
/** Connections at the most */
const POOL = 10;
const FEEDS = 'entra_access_feeds';

type Opened = Awaited<ReturnType<typeof databaseOf>>;

let postgres: Postgres;
let tenant: Tenant;
let database: Opened;
before(async () => {
  if (skip) return;
  postgres = await startPostgres();
  tenant = await startFollowedTenant();
  Object.assign(tenant.deltaPaging, { items: 8, members: 300 });
  database = await databaseOf('pg', { ...postgres.connection });
});
after(async () => {
  await database?.close();
  await tenant?.close();
  await postgres?.stop();
});

interface Pooled {
  used: Array<{ resource: { connection: { stream: { destroy(): void } } } }>;
}

/** Breaks all connections in use before the `at`-th statement is sent; nothing is sent after it */
function crashAt(knex: Opened['knex'], at: number) {
  let statements = 0;
  const listener = ({ sql }: { sql: string }) => {
    // Of the pool itself, which asks whether a connection still lives.
    if (/^select 1$/i.test(sql)) return;
    statements += 1;
    if (statements < at) return;
    const pool = knex.client.pool as unknown as Pooled;
    if (statements === at) for (const { resource } of pool.used) resource.connection.stream.destroy();
    throw Object.assign(new Error('crashed'), { code: 'CRASHED' });
  };
  knex.on('query', listener);
  return {
    get happened() {
      return statements >= at;
    },
    over: () => void knex.removeListener('query', listener),
  };
}

const inGroup = () => tenant.directory.groups.get(groups.paymentsEngineers.id)?.members.has(people.olivia.oid) === true;

/** All that a writer does, with what there is to write */
const PHASES: ReadonlyArray<[what: string, change: () => void]> = [
  ['loads everything', () => undefined],
  [
    'writes what has changed',
    () => {
      const { directory } = tenant;
      if (inGroup()) directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
      else directory.addMember(groups.paymentsEngineers.id, people.olivia.oid);
      directory.setEnabled(people.dana.oid, !directory.users.get(people.dana.oid)?.accountEnabled);
    },
  ],
  [
    'loads everything anew',
    () => {
      tenant.deltaGeneration += 1;
      tenant.directory.setEnabled(people.rita.oid, !tenant.directory.users.get(people.rita.oid)?.accountEnabled);
    },
  ],
];

for (const [phase, [what, change]] of PHASES.entries()) {
  test(`while it ${what}`, { skip }, async () => {
    const it = await followed(tenant, database);
    try {
      for (let at = 1, happened = true; happened; at += 1) {
        if (phase === 0)
          for (const table of [FEEDS, 'entra_access_members', 'entra_access_accounts'])
            await database.knex(table).delete();
        const one = it.replica();
        await one.poll();
        const before = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid)?.length ?? 0;
        change();
        const crash = crashAt(database.knex, at);
        await it.writer().run();
        ({ happened } = crash);
        crash.over();
        // The next poll finds a connection that lives.
        for (let polls = 0; polls === 0 || (one.replica.error !== undefined && polls < POOL); polls += 1)
          await one.poll();
        assert.equal(one.replica.error, undefined);
        const seen = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid)?.length ?? 0;
        const now = inGroup() ? 2 : 0;
        // Groups are one feed: as before, or as now.
        assert.equal(
          [phase === 0 ? 0 : before, now].includes(seen),
          true,
          `statement ${at}: ${before}, ${seen}, ${now}`,
        );
        // Another replica, which knows only the database.
        const next = it.writer();
        await next.run();
        assert.deepEqual(
          next.logger.complaints.filter(line => !/no longer knows what has changed/.test(line)),
          [],
        );
        const two = it.replica();
        for (const { core, poll } of [one, two]) {
          await poll();
          assertSame(core, tenant);
          core.close();
        }
        assert.equal(happened || at > 10, true, `${at} statements`);
      }
    } finally {
      it.close();
    }
  });
}

test('three writers that all believe to be the one, each with connections of its own', { skip }, async () => {
  const it = await followed(tenant, database);
  try {
    const writers = [it.writer(), it.writer(), it.writer()];
    const one = it.replica();
    const { directory } = tenant;
    for (let round = 0; round < 20; round += 1) {
      PHASES[round % 5 === 4 ? 2 : 1]?.[1]();
      // More comes while they ask and write.
      const running = writers.map(({ run }) => run());
      directory.setEnabled(people.nina.oid, round % 2 === 0);
      await Promise.all(running);
      await one.poll();
      assert.equal(one.replica.error, undefined);
    }
    await writers[0]?.run();
    const two = it.replica();
    for (const { core, poll } of [one, two]) {
      await poll();
      assertSame(core, tenant);
    }
    const complaints = writers.flatMap(({ logger }) => logger.complaints);
    assert.deepEqual(
      complaints.filter(line => !/no longer knows what has changed/.test(line)),
      [],
    );
  } finally {
    it.close();
  }
});
