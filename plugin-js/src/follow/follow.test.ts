/** Microsoft Graph followed into a database and from there into the core, on every database that Backstage takes */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { mulberry32 } from '../../dev/mulberry32';
import { groups, people } from '../../dev/tenant/people';
import type { Tenant } from '../../dev/tenant/tenant';
import { DATABASES } from '../../e2e/support/eachDatabase';
import { recordOf } from '../../e2e/support/core';
import { assertSame, followed, standingOf, startFollowedTenant } from '../../e2e/support/follow';

let tenant: Tenant;
beforeEach(async () => {
  tenant = await startFollowedTenant();
});
afterEach(() => tenant.close());

for (const { name, skip, open } of DATABASES) {
  const on = (what: string) => `${name}: ${what}`;

  type Followed = Awaited<ReturnType<typeof followed>> & { database: Awaited<ReturnType<typeof open>>['knex'] };

  async function following(work: (it: Followed) => Promise<void>): Promise<void> {
    const database = await open();
    const it = { ...(await followed(tenant, database)), database: database.knex };
    try {
      await work(it);
    } finally {
      it.close();
      // A server outlives a test, and so do its rows.
      for (const table of ['feeds', 'members', 'accounts', 'subscriptions'])
        await database.knex(`entra_access_${table}`).delete();
      await database.close();
    }
  }

  test(on('everything is loaded, then only what has changed'), { skip }, () =>
    following(async ({ writer, replica, store }) => {
      const [{ run, told }, one] = [writer(), replica()];
      await run();
      await one.poll();
      assert.deepEqual(one.logger.complaints, []);
      assertSame(one.core, tenant);
      assert.equal(one.epoch.current, 0, 'no catalog yet');

      const { directory } = tenant;
      directory.removeMember(groups.paymentsEngineers.id, people.olivia.oid);
      directory.setEnabled(people.dana.oid, false);
      directory.addMember(groups.platformAdmins.id, people.rita.oid);
      const requests = tenant.requests['graph.groups.delta'];
      const before = (await store.sample()).members;
      told.length = 0;
      await run();
      assert.equal(tenant.requests['graph.groups.delta'], (requests ?? 0) + 1);
      assert.deepEqual(told, [tenant.tenantId, tenant.tenantId], 'accounts and groups');
      assert.equal((await store.sample()).members > before, true, 'the epoch moves with the rows');
      const epoch = one.core.epoch;
      await one.poll();
      assertSame(one.core, tenant);
      assert.equal(standingOf(one.core, people.dana.oid), 'disabled');
      assert.equal(one.core.epoch > epoch, true);

      // Nothing new: nobody is told, no epoch begins, and the directory is younger all the same.
      told.length = 0;
      const { now, states } = await store.sample();
      await run();
      assert.deepEqual(told, []);
      const after = (await store.sample()).states;
      after.forEach((state, at) => assert.equal((state.completedAt ?? 0) >= (states[at]?.completedAt ?? now), true));
      const quiet = one.core.epoch;
      await one.poll();
      assert.equal(one.core.epoch, quiet);
    }),
  );

  test(on('pages that are cut anywhere, empty, repeated and in any order come to the same'), { skip }, () =>
    following(async ({ writer, replica }) => {
      const random = mulberry32(7);
      const pick = <T>(items: readonly T[]) => items[random() % items.length] as T;
      const { directory } = tenant;
      Object.assign(tenant.deltaPaging, { items: 3, members: 2, emptyPages: true, replays: true });
      const [{ run }, one] = [writer(), replica()];
      const [users, ids] = [[...directory.users.keys()], [...directory.groups.keys()]];
      const steps: Array<() => void> = [
        () => directory.addMember(pick(ids), pick(users)),
        () => directory.addMember(pick(ids), pick(users)),
        () => directory.removeMember(pick(ids), pick([...users, ...ids])),
        () => directory.addMember(pick(ids), pick(ids), 'group'),
        () => directory.removeGroup(pick(ids)),
        () => directory.restoreGroup(pick(ids)),
        () => directory.setEnabled(pick(users), random() % 2 === 0),
        () => directory.removeUser(pick(users)),
        () => directory.restoreUser(pick(users)),
        () => directory.addUser(randomUUID()),
      ];
      await run();
      for (let round = 0; round < 25; round += 1) {
        for (let step = random() % 8; step > 0; step -= 1) pick(steps)();
        await run();
        await one.poll();
        assert.deepEqual(one.logger.complaints, []);
        assertSame(one.core, tenant);
      }
      // Whoever comes now reads the rows as they are, and not how they became so.
      const two = replica();
      await two.poll();
      assertSame(two.core, tenant);
    }),
  );

  test(on('a run that ends early is gone on with, by whichever writer comes next'), { skip }, () =>
    following(async ({ writer, replica, store }) => {
      Object.assign(tenant.deltaPaging, { items: 2, members: 1 });
      const one = replica();
      let runs = 0;
      const done = async () => (await store.sample()).states.filter(({ load }) => load > 0).length === 2;
      // A new one each time, as after a crash: all that it knows is in the database.
      const lines: string[] = [];
      for (; !(await done()); runs += 1) {
        assert.equal(runs < 100, true);
        const each = writer({ pages: 2 });
        await each.run();
        lines.push(...each.logger.lines);
        await one.poll();
        if (!(await done())) assert.equal(one.core.members.groupsOf(tenant.tenantId, people.olivia.oid), undefined);
      }
      assert.equal(runs > 3, true);
      const pages = /groups of .* is loaded, in (\d+) pages/.exec(lines.join('\n'))?.[1];
      assert.equal(tenant.requests['graph.groups.delta'], Number(pages), 'none was asked for twice');
      await one.poll();
      assertSame(one.core, tenant);
    }),
  );

  test(
    on('a delta token that is too old means everything anew; who has vanished meanwhile was deleted'),
    { skip },
    () =>
      following(async ({ writer, replica }) => {
        const [{ run, logger }, one] = [writer(), replica()];
        await run();
        await one.poll();
        tenant.directory.users.delete(people.rita.oid);
        tenant.directory.removeUser(people.otto.oid);
        tenant.directory.groups.delete(groups.searchEngineers.id);
        tenant.deltaGeneration += 1;
        await run();
        await one.poll();
        assert.match(logger.complaints.join(), /no longer knows what has changed/);
        const two = replica();
        await two.poll();
        for (const { core } of [one, two]) {
          assert.equal(standingOf(core, people.rita.oid), 'deleted');
          assert.equal(standingOf(core, people.otto.oid), 'deleted');
          assert.equal(standingOf(core, people.olivia.oid), undefined);
          assert.deepEqual(core.members.groupsOf(tenant.tenantId, people.dana.oid) ?? [], []);
          assertSame(core, tenant);
        }
        await run();
        assertSame(one.core, tenant);
      }),
  );

  test(on('only the groups that matter are asked for, and the groups in them'), { skip }, () =>
    following(async ({ writer, replica, store }) => {
      let named = [groups.payments.id];
      const { run } = writer({ groups: 'matter', wanted: () => new Set(named) });
      const one = replica({ groups: 'matter' });
      await run();
      await one.poll();
      assert.deepEqual(one.logger.complaints, []);
      const groupsOf = (oid: string) => one.core.members.groupsOf(tenant.tenantId, oid)?.sort();
      const payments = [groups.payments.id, groups.paymentsEngineers.id];
      assert.deepEqual(groupsOf(people.nina.oid), [...payments, groups.paymentsOnCall.id].sort());
      assert.deepEqual(groupsOf(people.olivia.oid), payments.sort());
      assert.equal(groupsOf(people.dana.oid), undefined, 'search engineers do not matter');
      const { states } = await store.sample();
      const scope = states.flatMap(state => state.scope ?? []).sort();
      assert.deepEqual(scope, [...payments, groups.paymentsOnCall.id].sort());

      named = [...named, groups.searchEngineers.id];
      // Nested in one that matters.
      tenant.directory.addMember(groups.payments.id, groups.refunds.id, 'group');
      await run();
      await run();
      await one.poll();
      assert.deepEqual(groupsOf(people.dana.oid), [groups.searchEngineers.id]);
      assert.deepEqual(groupsOf(people.chloe.oid), [groups.payments.id, groups.refunds.id].sort());
    }),
  );

  test(on('a deny rule that names another group holds until that group was loaded'), { skip }, () =>
    following(async ({ writer, replica, store }) => {
      let named = [groups.payments.id];
      const wanted = () => new Set(named);
      const one = replica({ groups: 'matter' });
      await writer({ groups: 'matter', wanted }).run();
      await one.poll();
      const rule = (id: string, effect: string, group?: string) => ({
        ...{ id, effect, permissions: [`a.${id}`] },
        ...(group ? { principals: [{ group }] } : {}),
      });
      const rules = [
        rule('engineers', 'allow', groups.searchEngineers.id),
        rule('payments', 'allow', groups.payments.id),
        rule('others', 'allow'),
        { ...rule('kept-out', 'deny', groups.searchEngineers.id), permissions: ['a.others'] },
      ];
      one.core.setPolicy(JSON.stringify({ rules }), 'policy');
      const may = (person: { oid: string }, what: string) => {
        const record = recordOf({ objectId: person.oid, issuedAt: Math.floor(Date.now() / 1000) });
        const principal = one.core.admit(record, `user:default/${person.oid}`, record.expiresAt)!;
        return one.core.decide(principal, { name: `a.${what}` }).effect;
      };
      const { dana, nina, chloe } = people;
      const answers = () => [
        ...[dana, nina, chloe].map(person => may(person, 'others')),
        may(dana, 'engineers'),
        may(nina, 'payments'),
      ];
      const unknown = ['DENY', 'DENY', 'DENY', 'DENY', 'ALLOW'];
      assert.deepEqual(answers(), unknown, 'whoever may be in it');

      // A part for it is there, and nothing in it yet: what was known goes on to be.
      named = [...named, groups.searchEngineers.id];
      const before = (await store.sample()).states;
      await writer({ groups: 'matter', wanted, pages: 1 }).run();
      await one.poll();
      const parts = (await store.sample()).states.filter(({ feed }) => feed.startsWith('groups/'));
      assert.equal(parts.filter(({ load }) => load === 0).length, 1);
      for (const { feed, load, link } of before) {
        const now = (await store.find({ tenant: tenant.tenantId, feed }))!;
        assert.deepEqual([now.load, now.staged, now.link !== null], [load, 0, link !== null], `${feed} goes on`);
      }
      assert.deepEqual(answers(), unknown);

      await writer({ groups: 'matter', wanted }).run();
      await one.poll();
      assert.deepEqual(answers(), ['DENY', 'ALLOW', 'ALLOW', 'ALLOW', 'ALLOW']);
      assert.deepEqual(one.logger.complaints, []);

      // One inside it that was not loaded: whoever is in that is in it, too.
      tenant.directory.addMember(groups.searchEngineers.id, groups.refunds.id, 'group');
      await writer({ groups: 'matter', wanted: () => undefined }).run();
      await one.poll();
      assert.deepEqual(answers(), ['DENY', 'DENY', 'DENY', 'ALLOW', 'ALLOW']);
      await writer({ groups: 'matter', wanted }).run();
      await one.poll();
      assert.deepEqual(answers(), ['DENY', 'ALLOW', 'DENY', 'ALLOW', 'ALLOW'], 'Chloe is in refunds');
    }),
  );

  test(
    on('groups that are named one after the other, and many at once: 50 in a query, and none in two'),
    { skip },
    () =>
      following(async ({ writer, replica, store }) => {
        const ids = Array.from(
          { length: 130 },
          (_, at) => `0f9e0000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`,
        );
        for (const id of ids) tenant.directory.addMember(id, people.dana.oid);
        const named = new Set<string>();
        const { run, logger } = writer({ groups: 'matter', wanted: () => named });
        const one = replica({ groups: 'matter' });
        const parts = async () => (await store.sample()).states.filter(({ feed }) => feed.startsWith('groups/'));
        const step = async (label: string) => {
          await run();
          await one.poll();
          assert.deepEqual([...logger.complaints, ...one.logger.complaints], [], label);
          const found = one.core.members.groupsOf(tenant.tenantId, people.dana.oid) ?? [];
          assert.deepEqual(found.sort(), [...named].sort(), label);
        };
        await step('none');
        for (const id of ids.slice(0, 25)) {
          named.add(id);
          await step(id);
        }
        for (const id of ids) named.add(id);
        await step('many at once');
        await step('again');
        const scopes = (await parts()).map(({ scope }) => scope ?? []);
        assert.equal(Math.max(...scopes.map(({ length }) => length)) <= 50, true);
        assert.deepEqual(scopes.flat().sort(), ids);
        // What has changed is told by each of those that are left.
        for (const id of ids) tenant.directory.removeMember(id, people.dana.oid);
        named.clear();
        await step('all of them left');
      }),
  );

  test(on('replicas with both settings side by side leave each other what they follow'), { skip }, () =>
    following(async ({ writer, replica, store, database }) => {
      const all = [writer(), replica()] as const;
      const matter = [
        writer({ groups: 'matter', wanted: () => new Set([groups.payments.id]) }),
        replica({ groups: 'matter' }),
      ] as const;
      const loads = async () =>
        (await store.sample()).states.map(({ feed, generation }) => `${feed} ${generation}`).sort();
      for (const [{ run }] of [all, matter]) await run();
      const first = await loads();
      for (let round = 0; round < 3; round += 1) {
        tenant.directory.setEnabled(people.dana.oid, round % 2 === 0);
        tenant.directory.addMember(groups.payments.id, [...tenant.directory.users.keys()][round]!);
        for (const [{ run, logger }, { poll }] of [all, matter]) {
          await run();
          await poll();
          assert.deepEqual(logger.complaints, []);
        }
        assert.deepEqual(await loads(), first);
        assertSame(all[1].core, tenant);
      }
      // One of them is over: after a day its feed ends, and whoever still has it knows no group any more.
      const day = 24 * 3600_000 + 60_000;
      const of = { feed: 'groups' };
      const past = (column: string) => database.raw('?? - ?', [column, day]);
      await database('entra_access_feeds')
        .where(of)
        .update({ completed_at: past('completed_at'), staged_since: 1 });
      await matter[0].run();
      assert.deepEqual(
        await loads(),
        first.filter(feed => !feed.startsWith('groups ')),
      );
      assert.equal((await database('entra_access_members').where(of)).length, 0);
      await all[1].poll();
      assert.deepEqual(all[1].core.members.groupsOf(tenant.tenantId, people.olivia.oid), []);
      await all[0].run();
      await all[1].poll();
      assertSame(all[1].core, tenant);
    }),
  );
}
