/** 52,000 users and groups come in page by page, and whoever needs the database meanwhile gets a connection of its ten */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTenant } from '../dev/tenant/server';
import type { Tenant } from '../dev/tenant/tenant';
import { SessionStore } from '../src/service/sessionStore';
import { recordOf } from './support/core';
import { databaseOf } from './support/databases';
import { followed } from './support/follow';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';

const skip = WITHOUT_POSTGRES;
const [USERS, GROUPS] = [40_000, 12_000];
const POOL = 10;
/** What one loading may need at once */
const OF_THE_WRITER = 2;
const EXPIRES_AT = 4_000_000_000;

const idOf = (kind: 'a' | 'b', at: number) => `52000${kind}00-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
/** Of a user, by number */
const groupsOf = (user: number) => [user % GROUPS, (user * 7 + 1) % GROUPS, (user * 31 + 2) % GROUPS];
/** A group stands in another one, and in no third */
const around = (group: number) => (group % 10 === 0 ? [group + 1] : []);

let postgres: Postgres;
let tenant: Tenant;
let database: Awaited<ReturnType<typeof databaseOf>>;
before(async () => {
  if (skip) return;
  postgres = await startPostgres();
  tenant = await startTenant();
  const { users, groups } = tenant.directory;
  users.clear();
  groups.clear();
  for (let at = 0; at < GROUPS; at += 1) groups.set(idOf('b', at), { members: new Map() });
  const put = (group: number, id: string, kind: 'user' | 'group') =>
    groups.get(idOf('b', group))?.members.set(id, kind);
  for (let at = 0; at < USERS; at += 1) {
    users.set(idOf('a', at), { accountEnabled: true, validFrom: '2024-01-02T03:04:05Z' });
    for (const group of groupsOf(at)) put(group, idOf('a', at), 'user');
  }
  for (let at = 0; at < GROUPS; at += 1) for (const above of around(at)) put(above, idOf('b', at), 'group');
  database = await databaseOf('pg', { ...postgres.connection });
});
after(async () => {
  await database?.close();
  await tenant?.close();
  await postgres?.stop();
});

interface Pool {
  max: number;
  numUsed(): number;
  on(event: 'acquireSuccess', listener: () => void): void;
  removeListener(event: 'acquireSuccess', listener: () => void): void;
}

/** Most connections that were in use at once until it is asked */
function mostUsed(pool: Pool): () => number {
  let most = 0;
  const look = () => void (most = Math.max(most, pool.numUsed()));
  pool.on('acquireSuccess', look);
  return () => {
    pool.removeListener('acquireSuccess', look);
    return most;
  };
}

test('a load of 52,000 in runs of a few pages', { skip }, async () => {
  const pool = database.knex.client.pool as Pool;
  assert.equal(pool.max, POOL);
  const it = await followed(tenant, database);
  const one = it.replica();
  const isLoaded = async () => {
    const { states } = await it.store.sample();
    return states.length === 2 && states.every(({ load, staged }) => load > 0 && staged === 0);
  };
  /** By a new writer each time, as when each run is another replica's */
  const load = async () => {
    let runs = 0;
    do {
      const { run, logger } = it.writer({ pages: 100 });
      await run();
      assert.deepEqual(
        logger.complaints.filter(line => !/loaded anew$/.test(line)),
        [],
      );
      runs += 1;
      assert.equal(runs < 50, true);
    } while (!(await isLoaded()));
    return runs;
  };
  const assertLoaded = async () => {
    await one.poll();
    assert.deepEqual(one.logger.complaints, []);
    for (let at = 0; at < USERS; at += 173) {
      const direct = groupsOf(at);
      const expected = new Set([...direct, ...direct.flatMap(around)].map(group => idOf('b', group)));
      const found = one.core.members.groupsOf(tenant.tenantId, idOf('a', at));
      assert.deepEqual(found?.sort(), [...expected].sort(), `groups of user ${at}`);
    }
  };

  try {
    const alone = mostUsed(pool);
    assert.equal((await load()) > 2, true);
    assert.equal(alone() <= OF_THE_WRITER, true);
    const reading = mostUsed(pool);
    await assertLoaded();
    assert.equal(reading() <= 1, true);
    const [accounts, members] = await Promise.all(
      ['entra_access_accounts', 'entra_access_members'].map(async table => {
        const [row] = await database.knex(table).count({ count: '*' });
        return Number(row?.count);
      }),
    );
    assert.deepEqual([accounts, members], [USERS, GROUPS]);

    // Everything anew while all but three connections are taken: two for the loading, and one by which people sign in.
    tenant.deltaGeneration += 1;
    const others = await Promise.all(
      Array.from({ length: POOL - OF_THE_WRITER - 1 }, () => database.knex.transaction()),
    );
    try {
      const sessions = await SessionStore.open({ ...database.service, getClient: async () => database.knex });
      let over = false;
      const signingIn = (async () => {
        let count = 0;
        for (; !over; count += 1) {
          const ref = `user:default/somebody-${count % 50}`;
          await sessions.write(ref, recordOf({ objectId: idOf('a', count % 50) } as never), EXPIRES_AT, 0);
          assert.equal((await sessions.find(ref))?.entityRef, ref);
        }
        return count;
      })();
      await load().finally(() => (over = true));
      assert.equal((await signingIn) > 10, true);
    } finally {
      await Promise.all(others.map(each => each.rollback()));
    }
    await assertLoaded();
  } finally {
    it.close();
  }
});
