/** What Microsoft Graph, or the database, does not say once more: groups that come back, and a database that goes back */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { groups, people } from '../../dev/tenant/people';
import type { Tenant } from '../../dev/tenant/tenant';
import { recordOf } from '../../e2e/support/core';
import { databaseOf } from '../../e2e/support/databases';
import { assertSame, followed, standingOf, startFollowedTenant } from '../../e2e/support/follow';
import { Scopes } from './scopes';

const FEEDS = 'entra_access_feeds';
const MEMBERS = 'entra_access_members';
const OTHER_TENANT = 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2';
const TEAM = groups.searchEngineers.id;

let tenant: Tenant;
let database: Awaited<ReturnType<typeof databaseOf>>;
let it: Awaited<ReturnType<typeof followed>>;
beforeEach(async () => {
  tenant = await startFollowedTenant();
  database = await databaseOf('better-sqlite3', ':memory:');
  it = await followed(tenant, database);
});
afterEach(async () => {
  it.close();
  await database.close();
  await tenant.close();
});

const row = (group: string) => database.knex(MEMBERS).where({ group_id: group }).first();

for (const [what, before] of [
  ['that was deleted before everything was loaded', () => it.writer().run()],
  [
    'whose row went with a load anew',
    async () => {
      tenant.directory.restoreGroup(TEAM);
      await it.writer().run();
      tenant.directory.removeGroup(TEAM);
      await it.writer().run();
      tenant.deltaGeneration += 1;
      await it.writer().run();
    },
  ],
] as const) {
  for (const [matter, listed] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const also = `${matter ? ', one that matters, too' : ''}${listed ? ', also where Graph lists it as removed' : ''}`;
    test(`a group ${what} has its members again when it is restored${also}`, async () => {
      const options = matter ? ({ groups: 'matter', wanted: () => new Set([TEAM]) } as const) : {};
      const one = it.replica(options);
      const original = it.writer;
      it.writer = () => original(options);
      tenant.deltaListsRemoved = listed;
      tenant.directory.removeGroup(TEAM);
      await before();
      if (listed) assert.ok((await row(TEAM)).removed);
      else assert.equal(await row(TEAM), undefined);
      tenant.directory.restoreGroup(TEAM);
      await it.writer().run();
      await one.poll();
      assert.equal(one.core.members.groupsOf(tenant.tenantId, people.dana.oid)?.includes(TEAM), true);
      if (!matter) assertSame(one.core, tenant);
    });
  }
}

test('of a group that is deleted a replica that saw it says what a later one says', async () => {
  const before = it.replica();
  await it.writer().run();
  await before.poll();
  tenant.directory.removeGroup(TEAM);
  await it.writer().run();
  await before.poll();
  const later = it.replica();
  await later.poll();
  const rules = [
    { id: 'all', effect: 'allow', permissions: ['a.b'] },
    { id: 'not-the-team', effect: 'deny', permissions: ['a.b'], principals: [{ group: TEAM }] },
  ];
  // Of a token from before: what it lists may be a directory role as well.
  const listing = recordOf({
    objectId: people.dana.oid,
    groups: { state: 'known', ids: [TEAM] },
    issuedAt: Math.floor(Date.now() / 1000) - 3600,
  });
  for (const { core } of [before, later]) {
    core.setPolicy(JSON.stringify({ rules }), 'policy');
    const principal = core.admit(listing, 'user:default/dana', listing.expiresAt);
    assert.ok(principal !== undefined);
    assert.equal(core.decide(principal, { name: 'a.b' }).effect, 'DENY');
  }
});

test('a new group is asked about once, and may have nobody in it', async () => {
  const { run, logger } = it.writer();
  const one = it.replica();
  await run();
  const id = '0f9e0000-0000-4000-8000-00000000e309';
  tenant.directory.groups.set(id, { members: new Map() });
  tenant.directory.restoreGroup(id);
  const asked = () => tenant.requests['graph.groups.delta'] ?? 0;
  for (const questions of [2, 1, 1]) {
    const before = asked();
    await run();
    assert.equal(asked() - before, questions);
  }
  await one.poll();
  assertSame(one.core, tenant);
  assert.deepEqual(logger.complaints, []);
});

test('a database that went back by some writes is read anew: what a replica knew of them never was', async () => {
  const { run } = it.writer();
  const one = it.replica();
  await run();
  const tables = [FEEDS, MEMBERS, 'entra_access_accounts'];
  const backup = await Promise.all(tables.map(async table => [table, await database.knex(table)] as const));
  tenant.directory.addMember(TEAM, people.olivia.oid);
  tenant.directory.setEnabled(people.dana.oid, false);
  await run();
  await one.poll();
  assert.equal(standingOf(one.core, people.dana.oid), 'disabled');

  tenant.directory.removeMember(TEAM, people.olivia.oid);
  tenant.directory.setEnabled(people.dana.oid, true);
  for (const [table, rows] of backup) {
    await database.knex(table).delete();
    for (const each of rows) await database.knex(table).insert(each);
  }
  await run();
  await one.poll();
  assertSame(one.core, tenant);
});

test('a tenant of which only groups could be loaded keeps no other one from having the newest members', async () => {
  await it.writer().run();
  for (const table of [FEEDS, MEMBERS]) {
    const rows = await database.knex(table).where({ feed: 'groups' });
    await database.knex(table).insert(rows.map(each => ({ ...each, tenant: OTHER_TENANT })));
  }
  const users = await database.knex(FEEDS).where({ feed: 'users' }).first();
  const held = { load: 0, changed: 0, link: null, completed_at: null, held: 'Microsoft Graph knows nobody' };
  await database.knex(FEEDS).insert({ ...users, ...held, tenant: OTHER_TENANT });
  for (const others of [[OTHER_TENANT], []]) {
    const one = it.replica({ others });
    one.epoch.catalogIs(7, (await it.store.sample()).members);
    await one.poll();
    assert.equal(one.epoch.current, 7);
  }
});

test('the groups of a tenant that matter are its own, and none is told before it is known which matter', async () => {
  const named = [groups.payments.id, 'ffffffff-0000-4000-8000-000000000001', TEAM];
  let wanted: ReadonlySet<string> | undefined;
  const scopes = new Scopes({ store: it.store, groups: 'all', wanted: () => wanted });
  await it.writer().run();
  assert.equal(await scopes.mattering(tenant.tenantId), undefined);
  wanted = new Set(named);
  const inside = [groups.paymentsEngineers.id, groups.paymentsOnCall.id];
  const found = (await scopes.mattering(tenant.tenantId)) ?? [];
  assert.deepEqual(found.slice(0, 2), [groups.payments.id, TEAM]);
  assert.deepEqual(found.slice(2).sort(), inside.sort());
  assert.deepEqual(await scopes.mattering(OTHER_TENANT), []);
});

for (const [what, answer] of [
  ['does not tell yet', []],
  // It lags behind, or the group is deleted once more, which the round tells when it is asked again.
  ['tells of no more than its end', [[TEAM, { members: new Map(), removed: 'changed' }]]],
] as const)
  test(`where Graph ${what} who is in a restored group, the round is asked for once more`, async () => {
    tenant.directory.removeGroup(TEAM);
    const { run } = it.writer();
    const one = it.replica();
    await run();
    tenant.directory.restoreGroup(TEAM);
    tenant.deltaListsRemoved = true;
    // As when its answers lag behind each other.
    let hidden = true;
    const known = tenant.directory.groups;
    const entries = known[Symbol.iterator];
    known[Symbol.iterator] = function* () {
      for (const each of entries.call(known)) if (!hidden || each[0] !== TEAM) yield each;
      if (hidden) yield* answer as unknown as Iterable<never>;
    } as typeof entries;
    await run();
    assert.equal(await row(TEAM), undefined, 'nothing is written');
    assert.match(String((await it.store.sample()).states.map(({ error }) => error)), /not tell yet/);
    hidden = false;
    await run();
    await one.poll();
    assertSame(one.core, tenant);
  });

test('what a round says of a restored group has the last word: Graph may answer with who was in it before', async () => {
  tenant.directory.removeGroup(TEAM);
  const { run } = it.writer();
  const one = it.replica();
  await run();
  tenant.directory.restoreGroup(TEAM);
  const listed = tenant.directory.groups;
  const before = new Map(listed.get(TEAM)?.members);
  tenant.directory.removeMember(TEAM, people.dana.oid);
  const entries = listed[Symbol.iterator];
  listed[Symbol.iterator] = function* () {
    for (const [id, group] of entries.call(listed))
      yield id === TEAM ? [id, { ...group, members: before }] : [id, group];
  } as typeof entries;
  await run();
  listed[Symbol.iterator] = entries;
  await one.poll();
  assert.equal(before.has(people.dana.oid), true);
  assertSame(one.core, tenant);
});

for (const earlier of [false, true])
  test(`a load that goes on from its end asks who is in a group that was restored meanwhile${earlier ? ', one of the version before, too' : ''}`, async () => {
    tenant.directory.removeGroup(TEAM);
    const one = it.replica();
    const swap = it.store.swap.bind(it.store);
    it.store.swap = async () => {
      throw new Error('the process was killed');
    };
    await it.writer().run();
    it.store.swap = swap;
    // It did not say that all pages were there.
    if (earlier) await database.knex(FEEDS).update({ format: 1, staged_link: database.knex.ref('link'), link: null });
    tenant.directory.restoreGroup(TEAM);
    // Whom Graph names as new is not all that are in it.
    tenant.directory.addMember(TEAM, people.rita.oid);
    await it.writer().run();
    await one.poll();
    assertSame(one.core, tenant);
  });

test('another server in the place of the database has everything read anew, whatever its numbers', async () => {
  const { run } = it.writer();
  const one = it.replica();
  await run();
  await one.poll();
  // The same numbers for another change.
  tenant.directory.addMember(TEAM, people.olivia.oid);
  await run();
  const { members } = await row(TEAM);
  await one.poll();
  await database
    .knex(MEMBERS)
    .where({ group_id: TEAM })
    .update({ members: Buffer.alloc(0) });
  await one.poll();
  assert.equal(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid)?.includes(TEAM), true, 'not looked at');
  const sample = it.store.sample.bind(it.store);
  it.store.sample = async () => ({ ...(await sample()), server: 'another' });
  await one.poll();
  assert.equal(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid)?.includes(TEAM), false);
  assert.notEqual(members.length, 0);
});

test('how old it is what is asked for by changes does not hang on what is being loaded anew', async () => {
  const one = it.replica();
  assert.equal(one.replica.followedAgeOf(tenant.tenantId), undefined);
  await it.writer().run();
  const hour = 3600_000;
  await database.knex(FEEDS).decrement('completed_at', hour);
  await one.poll();
  assert.equal((one.replica.followedAgeOf(tenant.tenantId) ?? 0) >= hour, true);
  await database.knex(FEEDS).where({ feed: 'users' }).update({ link: null });
  await database.knex(FEEDS).where({ feed: 'groups' }).increment('completed_at', hour);
  await one.poll();
  assert.equal((one.replica.followedAgeOf(tenant.tenantId) ?? hour) < hour, true);
});
