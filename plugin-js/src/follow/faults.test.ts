/** What goes wrong while Microsoft Graph is followed: nothing is lost, nothing is taken that is not sure */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '../../dev/tenant/faults';
import { groups, people } from '../../dev/tenant/people';
import type { Tenant } from '../../dev/tenant/tenant';
import { databaseOf } from '../../e2e/support/databases';
import { recordOf } from '../../e2e/support/core';
import { assertSame, followed, killAt, standingOf, startFollowedTenant } from '../../e2e/support/follow';
import type { EntraCore } from '../core';
import { GraphError } from '../graph/graphError';
import { Ages } from './ages';
import { FORMAT, SETTLED_FORMAT } from './feeds';

const FEEDS = 'entra_access_feeds';

let tenant: Tenant;
let database: Awaited<ReturnType<typeof databaseOf>>;
let it: Awaited<ReturnType<typeof followed>>;
beforeEach(async () => {
  tenant = await startFollowedTenant();
  await begin();
});
afterEach(async () => {
  await end();
  await tenant.close();
});

async function begin(): Promise<void> {
  database = await databaseOf('better-sqlite3', ':memory:');
  it = await followed(tenant, database);
}

async function end(): Promise<void> {
  it.close();
  await database.close();
}

/** Whether somebody may do what a rule named */
function may(core: EntraCore, { oid }: { oid: string }, what: string): boolean {
  const record = recordOf({ objectId: oid, issuedAt: Math.floor(Date.now() / 1000) });
  const principal = core.admit(record, `user:default/${oid}`, record.expiresAt);
  assert.ok(principal !== undefined);
  return core.decide(principal, { name: `a.${what}` }).effect === 'ALLOW';
}

/** `a.in` is for members of a group, `a.out` for everybody else */
function ruleOn(core: EntraCore, group: string): void {
  const rules = [
    { id: 'in', effect: 'allow', permissions: ['a.in'], principals: [{ group }] },
    { id: 'out', effect: 'allow', permissions: ['a.out'] },
    { id: 'kept-out', effect: 'deny', permissions: ['a.out'], principals: [{ group }] },
  ];
  core.setPolicy(JSON.stringify({ rules }), 'policy');
}

const errors = async () => (await it.store.sample()).states.map(({ error }) => error);

const BROKEN: ReadonlyArray<[NonNullable<Faults['graph']>, RegExp]> = [
  ['down', /could not be reached/],
  ['unavailable', /answered 503/],
  ['resetMidBody', /could not be reached/],
  ['malformed', /not JSON/],
  ['notJson', /not JSON/],
  ['redirect', /redirect/],
  ['names', /another form/],
  ['foreignNextLink', /another address/],
  ['endlessPages', /a page twice/],
  ['throttledSilently', /429/],
];

for (const [fault, reason] of BROKEN) {
  test(`Microsoft Graph ${fault}, at the start and later: what is known stays, and then it goes on`, async () => {
    Object.assign(tenant.deltaPaging, { items: 3, members: 4 });
    const [{ run, logger }, one] = [it.writer(), it.replica()];
    tenant.faults.graph = fault;
    await run();
    await one.poll();
    assert.match((await errors()).join(), reason);
    assert.equal(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), undefined);
    tenant.faults.graph = undefined;
    await run();
    await one.poll();
    assertSame(one.core, tenant);
    assert.deepEqual(await errors(), [null, null]);

    tenant.faults.graph = fault;
    const before = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid);
    tenant.directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
    logger.clear();
    for (let round = 0; round < 2; round += 1) await run();
    await one.poll();
    assert.match((await errors()).join(), reason);
    assert.deepEqual(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), before);
    assert.equal(logger.complaints.length, new Set(logger.complaints).size, 'each is said once');
    tenant.faults.graph = undefined;
    await run();
    await one.poll();
    assertSame(one.core, tenant);
    assert.deepEqual(await errors(), [null, null]);
  });
}

test('an empty tenant is not taken at first, nor later in the place of a full one; the right answer is', async () => {
  const [{ run, logger }, one] = [it.writer(), it.replica()];
  const soon = () => database.knex(FEEDS).update({ staged_since: 0 });
  tenant.faults.graph = 'emptyTenant';
  await run();
  assert.equal((await it.store.sample()).states.filter(({ held, load }) => held && load === 0).length, 2);
  const requests = tenant.requests['graph.users.delta'];
  await run();
  assert.equal(tenant.requests['graph.users.delta'], requests, 'not asked for again at once');
  tenant.faults.graph = undefined;
  await soon();
  await run();
  await one.poll();
  assertSame(one.core, tenant);

  tenant.deltaGeneration += 1;
  tenant.faults.graph = 'emptyTenant';
  logger.clear();
  await run();
  await one.poll();
  assertSame(one.core, tenant);
  assert.match(logger.complaints.join('\n'), /error: .*lacks 100 % of .*maxRemovedShare/);
  const held = (await it.store.sample()).states;
  assert.equal(held.filter(state => state.held !== null && state.load > 0).length, 2);
  tenant.faults.graph = undefined;
  await soon();
  tenant.directory.setEnabled(people.dana.oid, false);
  await run();
  await one.poll();
  assertSame(one.core, tenant);
  assert.deepEqual(
    (await it.store.sample()).states.map(state => state.held),
    [null, null],
  );
  const rows = await database.knex('entra_access_members').distinct('load');
  assert.equal(rows.length, 1, 'nothing is left of loads that were not taken');
});

test('of groups that matter, too: a first answer that leaves out some that there are is not taken, and deny rules hold', async () => {
  const [group, gone] = [groups.searchEngineers.id, '0f9e0000-0000-4000-8000-00000000e308'];
  const { run, logger } = it.writer({ groups: 'matter', wanted: () => new Set([group, gone]) });
  const one = it.replica({ groups: 'matter' });
  ruleOn(one.core, group);
  tenant.faults.graph = 'emptyTenant';
  await run();
  tenant.faults.graph = undefined;
  await database.knex(FEEDS).where({ feed: 'users' }).update({ staged_since: 0 });
  await run();
  await one.poll();
  assert.match(
    logger.complaints.join('\n'),
    /groups\/1 .*is not taken: it says nothing of groups that there are \(1\); .*maxRemovedShare/,
  );
  assert.deepEqual([may(one.core, people.dana, 'in'), may(one.core, people.dana, 'out')], [false, false], 'unknown');
  await database.knex(FEEDS).update({ staged_since: 0 });
  await run();
  await one.poll();
  assert.deepEqual([may(one.core, people.dana, 'in'), may(one.core, people.dana, 'out')], [true, false]);
  assert.deepEqual([may(one.core, people.olivia, 'in'), may(one.core, people.olivia, 'out')], [false, true]);

  // Nor when everything is loaded anew, however small a share of all it is.
  await run();
  const { members } = tenant.directory.groups.get(group) ?? {};
  tenant.directory.groups.delete(group);
  tenant.deltaGeneration += 1;
  const settled = it.writer({
    groups: 'matter',
    maxRemovedShare: 0.99,
    wanted: () => new Set([group, groups.payments.id]),
  });
  await settled.run();
  await one.poll();
  assert.equal(may(one.core, people.dana, 'out'), false);
  if (members) tenant.directory.groups.set(group, { members });

  const [other, careless] = [
    groups.refunds.id,
    it.writer({ groups: 'matter', maxRemovedShare: 1, wanted: () => new Set([groups.refunds.id]) }),
  ];
  ruleOn(one.core, other);
  tenant.faults.graph = 'emptyTenant';
  await careless.run();
  await one.poll();
  assert.equal(may(one.core, people.chloe, 'out'), true, 'with a share of 1 everything is taken');
});

test('a load that lacks more than the configured share is held, and one that lacks less is taken', async () => {
  const some = [...tenant.directory.users.keys()].slice(0, 3);
  const share = some.length / tenant.directory.users.size;
  const one = it.replica();
  await it.writer().run();
  for (const id of some) tenant.directory.users.delete(id);
  tenant.deltaGeneration += 1;
  await it.writer({ maxRemovedShare: share - 0.01 }).run();
  await one.poll();
  assert.match((await it.store.sample()).states.map(({ held }) => held).join(), /lacks \d+ % of/);
  for (const id of some) assert.equal(standingOf(one.core, id), undefined);
  await database.knex(FEEDS).update({ staged_since: 0 });
  await it.writer({ maxRemovedShare: share + 0.01 }).run();
  await one.poll();
  for (const id of some) assert.equal(standingOf(one.core, id), 'deleted');
});

test('a writer that is killed at any statement loses nothing, and shows nothing half', async () => {
  Object.assign(tenant.deltaPaging, { items: 5, members: 300 });
  const { directory } = tenant;
  const inGroup = () => directory.groups.get(groups.paymentsEngineers.id)?.members.has(people.olivia.oid) === true;
  /** All that a writer does: everything, what has changed, everything anew */
  const phases: Array<() => void> = [
    () => undefined,
    () => {
      if (inGroup()) directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
      else directory.addMember(groups.paymentsEngineers.id, people.olivia.oid);
      directory.setEnabled(people.dana.oid, !directory.users.get(people.dana.oid)?.accountEnabled);
    },
    () => {
      tenant.deltaGeneration += 1;
      directory.setEnabled(people.rita.oid, !directory.users.get(people.rita.oid)?.accountEnabled);
    },
  ];
  for (const [phase, change] of phases.entries()) {
    let kills = 0;
    for (let at = 1; ; at += 1) {
      if (phase === 0)
        for (const table of [FEEDS, 'entra_access_members', 'entra_access_accounts'])
          await database.knex(table).delete();
      const one = it.replica();
      await one.poll();
      const before = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid);
      change();
      const killer = killAt(database.knex, at);
      await it.writer().run();
      const { killed } = killer;
      await killer.revive();
      await one.poll();
      assert.deepEqual(one.logger.complaints, []);
      const seen = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid);
      if (killed && phase === 0 && seen) assertSame(one.core, tenant);
      // Groups are one feed: as before, or as now.
      if (phase === 1 && killed)
        assert.equal([before?.length ?? 0, inGroup() ? 2 : 0].includes(seen?.length ?? 0), true);
      // Another replica, which knows only the database.
      await it.writer().run();
      await one.poll();
      const two = it.replica();
      await two.poll();
      for (const { core } of [one, two]) assertSame(core, tenant);
      for (const { core } of [one, two]) core.close();
      if (!killed) break;
      kills += 1;
    }
    assert.equal(kills > 10, true, `${kills} statements in phase ${phase}`);
  }
});

test('of two writers that both believe to be the one, one writes, and the other one nothing', async () => {
  await it.writer().run();
  const one = it.replica();
  const { directory } = tenant;
  directory.setEnabled(people.dana.oid, false);
  // The slow one has its answer when the fast one asks, and writes when there is something newer.
  let first = true;
  const fast = it.writer();
  const slow = it.writer({
    async beforePage() {
      if (!first) return;
      first = false;
      directory.setEnabled(people.dana.oid, true);
      directory.setEnabled(people.rita.oid, false);
      await fast.run();
    },
  });
  await slow.run();
  assert.deepEqual([slow.logger.complaints, fast.logger.complaints], [[], []]);
  await one.poll();
  assertSame(one.core, tenant);

  // Likewise with a load: two at once.
  tenant.deltaGeneration += 1;
  Object.assign(tenant.deltaPaging, { items: 3, members: 5 });
  await Promise.all([fast, it.writer(), it.writer()].map(({ run }) => run()));
  await it.writer().run();
  await one.poll();
  assertSame(one.core, tenant);
});

test('what is left of old loads is removed, and nothing that another writer has begun since', async () => {
  await it.writer().run();
  const [stale] = (await it.store.sample()).states.filter(({ feed }) => feed === 'users');
  assert.ok(stale);
  tenant.deltaGeneration += 1;
  Object.assign(tenant.deltaPaging, { items: 3, members: 4 });
  // Another one has begun to load everything anew.
  await it.writer({ pages: 2 }).run();
  const staged = (await it.store.sample()).states.find(({ feed }) => feed === 'users')?.staged ?? 0;
  const count = async () => (await database.knex('entra_access_accounts').where({ load: staged })).length;
  const before = await count();
  assert.equal(before > 0, true);
  await it.store.purge(stale);
  assert.equal(await count(), before);
  await it.writer().run();
  const one = it.replica();
  await one.poll();
  assertSame(one.core, tenant);
  for (const id of tenant.directory.users.keys()) assert.equal(standingOf(one.core, id), undefined);
});

test('while groups are still being loaded a replica that starts knows whose account is not in force', async () => {
  tenant.directory.setEnabled(people.dana.oid, false);
  await it.writer().run();
  await database.knex(FEEDS).where({ feed: 'groups' }).update({ load: 0 });
  const one = it.replica();
  await one.poll();
  assert.deepEqual(one.logger.complaints, []);
  assert.equal(standingOf(one.core, people.dana.oid), 'disabled');
  assert.equal(standingOf(one.core, people.olivia.oid), undefined);
  assert.equal(one.replica.ageOf(tenant.tenantId), undefined, 'nothing of its groups is said to be known');
  assert.equal(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), undefined);
});

test('one connection of the database is enough to load everything and to read it', async () => {
  // SQLite has no more than one; whoever wanted a second one while holding the first would wait for ever.
  await Promise.all([it.writer().run(), it.writer().run()]);
  const replicas = [it.replica(), it.replica(), it.replica()];
  await Promise.all(replicas.map(({ poll }) => poll()));
  for (const { core, logger } of replicas) {
    assert.deepEqual(logger.complaints, []);
    assertSame(core, tenant);
  }
});

test('where access hangs on no group, that is known, too', async () => {
  const { run } = it.writer({ groups: 'matter', wanted: () => new Set() });
  const one = it.replica({ groups: 'matter' });
  await run();
  await run();
  await one.poll();
  assert.deepEqual(one.logger.complaints, []);
  assert.equal(one.replica.ageOf(tenant.tenantId) !== undefined, true);
  assert.equal(tenant.requests['graph.groups.delta'], 0);
});

test('a database that does not answer: nobody is rejected, and then it goes on', async () => {
  const [{ run, logger }, one] = [it.writer(), it.replica()];
  await run();
  await one.poll();
  const killer = killAt(database.knex, 1);
  tenant.directory.setEnabled(people.dana.oid, false);
  await run();
  await one.poll();
  assert.match(logger.complaints.join(), /database of entra-access does not answer \(KILLED\)/);
  assert.match(one.logger.complaints.join(), /database of entra-access does not answer \(KILLED\)/);
  assert.match(one.replica.error ?? '', /KILLED/);
  assert.equal(standingOf(one.core, people.dana.oid), undefined);
  await killer.revive();
  await run();
  await one.poll();
  assert.equal(one.replica.error, undefined);
  assertSame(one.core, tenant);
});

test('rows of which nothing is being loaded are of the form that the version before reads, too', async () => {
  const formats = async () => new Set((await it.store.sample()).states.map(({ format }) => format));
  const swap = it.store.swap.bind(it.store);
  it.store.swap = async () => {
    throw new Error('the process was killed');
  };
  await it.writer().run();
  assert.deepEqual(await formats(), new Set([FORMAT]));
  it.store.swap = swap;
  await it.writer().run();
  assert.deepEqual(await formats(), new Set([SETTLED_FORMAT]));
  tenant.directory.setEnabled(people.dana.oid, false);
  await it.writer().run();
  assert.deepEqual(await formats(), new Set([SETTLED_FORMAT]));
});

test('rows of a newer version are left alone: by replicas, which keep what they have, and by writers', async () => {
  const [{ run }, one] = [it.writer(), it.replica()];
  await run();
  await one.poll();
  tenant.directory.setEnabled(people.dana.oid, false);
  await run();
  await database
    .knex(FEEDS)
    .where({ feed: 'users' })
    .update({ format: FORMAT + 1 });
  const { states } = await it.store.sample();
  await one.poll();
  assert.equal(standingOf(one.core, people.dana.oid), undefined);
  const fresh = it.replica();
  await fresh.poll();
  assert.equal(fresh.core.members.groupsOf(tenant.tenantId, people.olivia.oid), undefined, 'nothing is known there');
  tenant.directory.setEnabled(people.rita.oid, false);
  await run();
  const users = (list: typeof states) => list.find(({ feed }) => feed === 'users');
  assert.deepEqual(users((await it.store.sample()).states), users(states));
});

test('a feed that is removed and made anew is another one, although its numbers are the same', async () => {
  const one = it.replica();
  await it.writer().run();
  await one.poll();
  assertSame(one.core, tenant);
  const groupsNow = async () => (await it.store.find({ tenant: tenant.tenantId, feed: 'groups' }))!;
  const before = await groupsNow();
  tenant.directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
  await it.store.remove(before);
  await it.writer().run();
  const { load, changed } = await groupsNow();
  assert.deepEqual([load, changed], [before.load, before.changed]);
  await one.poll();
  assertSame(one.core, tenant);
});

test('a round that takes several runs is as old as its begin', async () => {
  Object.assign(tenant.deltaPaging, { items: 1 });
  await it.writer().run();
  for (const person of [people.dana, people.rita, people.otto]) tenant.directory.setEnabled(person.oid, false);
  const users = async () => (await it.store.find({ tenant: tenant.tenantId, feed: 'users' }))!;
  const { completedAt } = await users();
  await it.writer({ pages: 1 }).run();
  const under = await users();
  assert.deepEqual([under.completedAt, under.roundPages], [completedAt, 1], 'not complete yet');
  assert.equal((under.roundSince ?? 0) >= (completedAt ?? 0), true);
  const begun = (completedAt ?? 0) + 7;
  await database.knex(FEEDS).where({ feed: 'users' }).update({ round_since: begun });
  await it.writer({ pages: 1 }).run();
  assert.deepEqual([(await users()).completedAt, (await users()).roundPages], [completedAt, 2]);
  await it.writer().run();
  const over = await users();
  assert.deepEqual([over.completedAt, over.roundSince, over.roundPages], [begun, null, 0]);
  const one = it.replica();
  await one.poll();
  assertSame(one.core, tenant);
});

test('what has changed without an end, by ever new links and over many runs, is loaded anew', async () => {
  await it.writer().run();
  tenant.faults.graph = 'newLinks';
  const states = async () => (await it.store.sample()).states;
  const loads = (await states()).map(({ load }) => load);
  const lines: string[] = [];
  let runs = 0;
  for (; (await states()).some(({ link }) => link !== null); runs += 1) {
    assert.equal(runs < 50, true);
    const each = it.writer({ pages: 2, maxPages: 5 });
    await each.run();
    lines.push(...each.logger.complaints);
  }
  assert.equal(runs >= 3, true, `${runs} runs`);
  assert.match(lines.join('\n'), /users of .* more than 5 pages; all of it is loaded anew/);
  assert.match(lines.join('\n'), /groups of .* more than 5 pages; all of it is loaded anew/);
  await it.writer({ maxPages: 5 }).run();
  assert.match((await errors()).join(), /more than 5 pages/);
  assert.deepEqual(
    (await states()).map(({ load }) => load),
    loads,
    'what is known stays',
  );
  tenant.faults.graph = undefined;
  await it.writer().run();
  const one = it.replica();
  await one.poll();
  assertSame(one.core, tenant);
  assert.deepEqual(await errors(), [null, null]);
});

test('what has changed is asked while everything else is being loaded', async () => {
  const one = it.replica();
  await it.writer().run();
  await one.poll();
  await database.knex(FEEDS).where({ feed: 'users' }).update({ link: null });
  const found: boolean[] = [];
  const loading = it.writer({
    async beforePage() {
      const users = await it.store.find({ tenant: tenant.tenantId, feed: 'users' });
      if (!users?.staged || found.length > 0) return;
      found.push(true);
      tenant.directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
      found.push(await loading.run('changes'), await loading.run('changes'));
      await one.poll();
      assert.deepEqual(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), []);
    },
  });
  assert.equal(await loading.run(), true);
  assert.deepEqual(found, [true, true, false], 'and nothing is new the second time');
  assert.deepEqual(loading.logger.complaints, []);
  await one.poll();
  assertSame(one.core, tenant);
});

test('a hint that finds a token too old leaves the load to the next run', async () => {
  const { run } = it.writer();
  await run();
  tenant.deltaGeneration += 1;
  await run('changes');
  const staged = (await it.store.sample()).states.map(({ staged: load, stagedPages }) => [load > 0, stagedPages]);
  assert.deepEqual(staged, [
    [true, 0],
    [true, 0],
  ]);
  await run();
  const one = it.replica();
  await one.poll();
  assertSame(one.core, tenant);
});

test('two rounds of a feed at once: the second one waits, and asks from the end of the first', async () => {
  await it.writer().run();
  const { directory } = tenant;
  let first = true;
  const found: Array<Promise<boolean>> = [];
  const both = it.writer({
    async beforePage() {
      if (!first) return;
      first = false;
      // Graph has answered already: this is for whoever asks later.
      directory.setEnabled(people.rita.oid, false);
      found.push(both.run('changes'));
    },
  });
  directory.setEnabled(people.dana.oid, false);
  await both.run();
  assert.deepEqual(await Promise.all(found), [true]);
  assert.deepEqual(both.logger.complaints, []);
  const one = it.replica();
  await one.poll();
  assertSame(one.core, tenant);
});

test('a backend that is stopped waits neither for Microsoft Graph nor for what Graph wants to be waited for', async () => {
  for (const [fault, retryAfter] of [
    ['throttled', 30],
    ['slow', 1],
  ] as const) {
    tenant.faults.graph = fault;
    tenant.faults.retryAfter = retryAfter;
    const before = tenant.requests['graph.users.delta'] ?? 0;
    const { run, end, logger } = it.writer();
    const running = run();
    while ((tenant.requests['graph.users.delta'] ?? 0) === before) await new Promise(resolve => setImmediate(resolve));
    // The answer is on its way; then it is waited.
    await sleep(50);
    end();
    // Either would take more than that.
    const late = new AbortController();
    const waited = sleep(15_000, true, { signal: late.signal }).catch(() => false);
    assert.equal(await Promise.race([running.then(() => false), waited]), false, `${fault}: it ends`);
    late.abort();
    assert.equal(tenant.requests['graph.users.delta'], before + 1, `${fault}: asked once`);
    assert.equal(tenant.requests['graph.groups.delta'] ?? 0, 0);
    assert.deepEqual(logger.complaints, []);
  }
  assert.deepEqual(await errors(), [null, null]);
});

test('Microsoft Graph is asked for less when it says that much is used up, and not at all when all is', async () => {
  Object.assign(tenant.deltaPaging, { items: 3, members: 4 });
  const pauses: number[] = [];
  const { run } = it.writer({ pause: async ms => void pauses.push(ms) });
  tenant.quota.units = 12;
  tenant.quota.left = 12;
  tenant.faults.retryAfter = 600;
  await run();
  assert.equal(pauses.length > 0, true, 'spread from 80 % on');
  assert.match((await errors()).join(), /429/);
  const requests = tenant.requests['graph.groups.delta'];
  await run();
  assert.equal(tenant.requests['graph.groups.delta'], requests, 'Graph said to wait');
});

test('a link that Microsoft Graph does not take, of a load or of a round, does not stay: it is loaded anew', async () => {
  Object.assign(tenant.deltaPaging, { items: 3, members: 4 });
  const { run } = it.writer();
  const one = it.replica();
  async function spoil(column: 'link' | 'staged_link'): Promise<number> {
    const rows = await database.knex(FEEDS).whereNotNull(column);
    for (const { feed, [column]: link } of rows) {
      const spoiled = String(link).replace(/token=.*/, 'token=spoiled');
      await database
        .knex(FEEDS)
        .where({ feed })
        .update({ [column]: spoiled });
    }
    return rows.length;
  }
  await it.writer({ pages: 2 }).run();
  assert.equal((await spoil('staged_link')) > 0, true);
  await run();
  assert.match((await errors()).join(), /answered 400/);
  await run();
  await one.poll();
  assertSame(one.core, tenant);

  for (const end of [() => spoil('link'), () => (tenant.faults.graph = 'notThere')]) {
    await end();
    tenant.directory.setEnabled(people.dana.oid, !tenant.directory.users.get(people.dana.oid)?.accountEnabled);
    tenant.directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
    await run();
    // Not taken at the first address either: that one is ours, and is asked again.
    tenant.faults.graph = undefined;
    await run();
    await one.poll();
    assertSame(one.core, tenant);
    assert.deepEqual(await errors(), [null, null]);
  }
});

test('a page token that has expired is one that is too old, whatever the status', () => {
  const error = new GraphError('', { scope: 'tenant', status: 400, code: 'Directory_ExpiredPageToken' });
  assert.equal(error.isTooOld, true);
});

test('of a group that two parts know nothing is known until one of them is removed', async () => {
  const group = groups.searchEngineers.id;
  const { run, logger } = it.writer({ groups: 'matter', wanted: () => new Set([group]) });
  const one = it.replica({ groups: 'matter' });
  await run();
  await one.poll();
  ruleOn(one.core, group);
  const answers = () =>
    [people.dana, people.olivia].flatMap(person => [may(one.core, person, 'in'), may(one.core, person, 'out')]);
  assert.deepEqual(answers(), [true, false, false, true]);

  // Another part with rows of before, of which nobody asks what has changed.
  for (const table of [FEEDS, 'entra_access_members']) {
    const rows = await database.knex(table).where({ feed: 'groups/1' });
    assert.equal(rows.length, 1);
    const link = table === FEEDS ? { link: null } : {};
    await database.knex(table).insert(rows.map(row => ({ ...row, ...link, feed: 'groups/2' })));
  }
  tenant.directory.removeMember(group, people.dana.oid);
  await run('changes');
  await one.poll();
  assert.deepEqual(answers(), [false, false, false, false], 'unknown: deny rules hold, allow rules do not match');
  await run();
  await one.poll();
  assert.deepEqual(answers(), [false, true, false, true]);
  const { states } = await it.store.sample();
  assert.deepEqual(
    states.flatMap(({ scope }) => scope ?? []),
    [group],
  );
  assert.deepEqual([...logger.complaints, ...one.logger.complaints], []);
});

test('a group that is named later and has nobody in it is known to have nobody; others are not touched', async () => {
  const empty = '0f9e0000-0000-4000-8000-00000000e307';
  const named = new Set([groups.paymentsEngineers.id]);
  const { run } = it.writer({ groups: 'matter', wanted: () => named });
  const one = it.replica({ groups: 'matter' });
  await run();
  await one.poll();
  const before = one.core.members.groupsOf(tenant.tenantId, people.olivia.oid);
  ruleOn(one.core, empty);
  assert.equal(may(one.core, people.olivia, 'out'), false, 'not known yet');
  named.add(empty);
  await run();
  await one.poll();
  assert.equal(may(one.core, people.olivia, 'out'), true);
  assert.deepEqual(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), before);
});

test('a part none of whose groups is needed any more ends after an hour, and not before', async () => {
  const [kept, past] = [groups.searchEngineers.id, groups.refunds.id];
  const named = new Set([kept]);
  const { run } = it.writer({ groups: 'matter', wanted: () => named });
  const one = it.replica({ groups: 'matter' });
  await run();
  named.add(past);
  await run();
  let later = 0;
  const sample = it.store.sample.bind(it.store);
  it.store.sample = async () => {
    const found = await sample();
    return { ...found, now: found.now + later };
  };
  const scope = async () => (await sample()).states.flatMap(state => state.scope ?? []).sort();
  const both = [kept, past].sort();
  const minute = 60_000;
  // Needed again before the hour is over, it begins anew.
  for (const [minutes, isNamed, expected] of [
    [0, false, both],
    [59, false, both],
    [61, true, both],
    [62, false, both],
    [121, false, both],
    [123, false, [kept]],
  ] as const) {
    later = minutes * minute;
    if (isNamed) named.add(past);
    else named.delete(past);
    await run();
    assert.deepEqual(await scope(), expected, `after ${minutes} minutes`);
  }
  later = 0;
  await one.poll();
  assert.deepEqual(one.core.members.groupsOf(tenant.tenantId, people.dana.oid), [kept]);
  named.add(past);
  await run();
  await one.poll();
  assert.deepEqual(one.core.members.groupsOf(tenant.tenantId, people.chloe.oid), [past]);
});

test('a tenant that was never loaded keeps no other one from having the newest members', async () => {
  await it.writer().run();
  const one = it.replica({ others: ['b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2'] });
  one.epoch.catalogIs(7, (await it.store.sample()).members);
  assert.notEqual(one.epoch.current, 7);
  await one.poll();
  assert.equal(one.epoch.current, 7);
});

test('a hint about one tenant asks no other one', async () => {
  const { run } = it.writer();
  await run();
  const asked = () => tenant.requests['graph.users.delta'] ?? 0;
  const before = asked();
  await run('changes', 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2');
  assert.equal(asked(), before);
  await run('changes', tenant.tenantId);
  assert.equal(asked(), before + 1);
});

test('whoever waits for a run under way and is to end waits no longer', async () => {
  let go: () => void = () => undefined;
  const gate = new Promise<void>(resolve => (go = resolve));
  const { run, end } = it.writer({ beforePage: () => gate });
  const first = run();
  const second = run();
  end();
  const late = new AbortController();
  const waited = sleep(15_000, 'waited', { signal: late.signal }).catch(() => 'waited');
  assert.equal(await Promise.race([second, waited]), false);
  late.abort();
  go();
  assert.equal(await first, true);
});

test('the time that it takes to take in what the database says makes nothing younger', async () => {
  await it.writer().run();
  const one = it.replica();
  const sample = it.store.sample.bind(it.store);
  it.store.sample = async () => {
    const found = await sample();
    return { ...found, asked: found.asked - 1_000_000 };
  };
  await one.poll();
  assert.equal((one.replica.ageOf(tenant.tenantId) ?? 0) >= 1_000_000, true);
  assert.deepEqual(
    one.core.freshness.states.map(({ stale }) => stale),
    [true],
  );
});

test('clocks that are set make nothing younger', () => {
  let monotonic = 0;
  const ages = new Ages(() => monotonic);
  const hour = 3_600_000;
  assert.equal(ages.seen('t', hour, hour + 100), 100);
  monotonic = 60_000;
  assert.equal(ages.seen('t', hour, hour + 60_100), 60_100);
  // The clock of the database is set back by an hour: time has passed here all the same.
  monotonic = 120_000;
  assert.equal(ages.seen('t', hour, 4_000) ?? 120_000, 120_000);
  assert.equal(ages.of('t'), 120_100);
  // And set forward: what it says is old, by all that anybody knows.
  assert.equal(ages.seen('t', hour, 3 * hour), 2 * hour);
  // A process that had much to do since it asked.
  assert.equal(ages.seen('v', hour, hour + 100, 20_000), 100_100);
  assert.equal(ages.of('v'), 100_100);
  // Of a time that is still to come nothing is known.
  assert.equal(ages.seen('u', 3 * hour, hour), undefined);
  assert.equal(ages.of('u'), undefined);
});
