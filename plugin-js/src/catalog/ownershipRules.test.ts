import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Entity } from '@backstage/catalog-model';
import type { EntityFilter } from '@backstage/plugin-catalog-node';
import { matches } from '../../e2e/support/catalogSearch';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, FROM_ENTRA, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { Principal } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { createOwnershipRules, RULES } from './ownershipRules';
import { paramsSchema, type OwnedByPrincipalParams } from './paramsSchema';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const TEAMS = ['payments', 'search', 'idle', 'nobody', 'Payments-2'].map(name => `group:default/${name.toLowerCase()}`);
const REFS = {
  olivia: `user:default/${people.olivia.oid}`,
  rita: `user:default/${people.rita.oid}`,
  otto: `user:default/${people.otto.oid}`,
  stranger: `user:default/${people.greg.oid}`,
};

let entraAccess: EntraAccess;
let owned: ReturnType<typeof createOwnershipRules>[number];
let notOwned: typeof owned;
before(() => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  setDirectory([groups.payments.id, groups.searchEngineers.id, groups.platformAdmins.id]);
  open(REFS.olivia, { groups: { state: 'known', ids: [groups.payments.id, groups.searchEngineers.id] } });
  open(REFS.rita, { objectId: people.rita.oid });
  open(REFS.otto, { objectId: people.otto.oid, groups: { state: 'unknown', ids: [] } });
  [owned, notOwned] = createOwnershipRules(entraAccess) as [typeof owned, typeof owned];
});
after(() => entraAccess.close());

/** The teams stand for these groups, in this order; all own something, and so does Rita herself */
function setDirectory(ids: string[]): void {
  const bound = ids.map((groupId, at) => ({ entityRef: TEAMS[at]!, groupId, ...FROM_ENTRA }));
  assert.equal(entraAccess.core.setDirectory({ groups: bound, owners: [...TEAMS, REFS.rita] }).ok, true);
}

function open(ref: string, change: Partial<Principal>): void {
  assert.ok(entraAccess.sessions.open(ref, recordOf(change), IN_AN_HOUR));
}

/** As the policy makes them at this moment */
function params(principal: string, change: Partial<OwnedByPrincipalParams> = {}): OwnedByPrincipalParams {
  return { principal, ...entraAccess.versionOf(principal), ...change };
}

function entity(owners: string[], more: Array<{ type: string; targetRef: string }> = []): Entity {
  const relations = [...owners.map(targetRef => ({ type: 'ownedBy', targetRef })), ...more];
  return { apiVersion: 'v1', kind: 'Component', metadata: { name: 'x' }, relations };
}

/** Every set of owners, with relations beside them that must not count */
function entities(): Entity[] {
  const owners = [...TEAMS.slice(0, 4), REFS.rita, REFS.olivia];
  const sets = Array.from({ length: 2 ** owners.length }, (_, bits) => owners.filter((_owner, at) => bits & (1 << at)));
  const other = owners.flatMap(targetRef =>
    ['partOf', 'ownerOf', 'owned', 'ownedByX'].map(type => ({ type, targetRef })),
  );
  const bare: Entity = { apiVersion: 'v1', kind: 'Component', metadata: { name: 'x' } };
  return [bare, ...sets.map(set => entity(set)), ...sets.map(set => entity(set, other))];
}

for (const name of ['olivia', 'rita', 'otto', 'stranger'] as const) {
  test(`for ${name}, apply and toQuery agree on every entity, in both rules`, () => {
    const question = params(REFS[name]);
    const counts = { owned: 0, notOwned: 0, all: 0 };
    for (const candidate of entities()) {
      const [isOwned, isNot] = [owned.apply(candidate, question), notOwned.apply(candidate, question)];
      const label = JSON.stringify(candidate.relations);
      assert.equal(matches(owned.toQuery(question) as EntityFilter, candidate), isOwned, label);
      assert.equal(matches(notOwned.toQuery(question) as EntityFilter, candidate), isNot, label);
      assert.ok(!(isOwned && isNot), label);
      counts.owned += Number(isOwned);
      counts.notOwned += Number(isNot);
      counts.all += 1;
    }
    assert.equal(counts.all, 129);
    // Each owner is in half of the 64 sets: two owners own 3/4, one 1/2. Olivia herself, of whom the directory does not
    // know yet that she owns something, counts only against her. Otto's groups are unknown: he may own anything.
    const expected = { olivia: [96, 17], rita: [64, 65], otto: [0, 0], stranger: [0, 0] }[name];
    assert.deepEqual([counts.owned, counts.notOwned], expected);
  });
}

test('groups that are known where it was decided, and not here: nothing is certainly not owned', () => {
  const config = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const here = new EntraAccess({ json: config, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  const [, not] = createOwnershipRules(here) as [typeof owned, typeof owned];
  const theirs = entity(['group:default/payments']);
  const [directory, question] = [
    { groups: [{ entityRef: TEAMS[0]!, groupId: groups.payments.id, ...FROM_ENTRA }], owners: TEAMS },
    () => ({ principal: REFS.olivia, ...here.versionOf(REFS.olivia) }),
  ];
  const record = recordOf({ groups: { state: 'unknown', ids: [] } });
  assert.ok(here.sessions.open(REFS.olivia, record, IN_AN_HOUR));
  assert.equal(not.apply(theirs, question()), false, 'neither groups nor directory');
  assert.ok(here.core.setDirectory(directory).ok);
  for (let count = 0; count < 5; count += 1) {
    assert.equal(not.apply(theirs, question()), false, 'no groups');
    assert.deepEqual(not.toQuery(question()), { key: 'relations.ownedBy', values: [] });
  }
  assert.equal(here.core.principals, 1, 'asking again costs the core nothing');
  here.sessions.complete(REFS.olivia, record, [groups.searchEngineers.id]);
  assert.equal(not.apply(theirs, question()), true, 'known here, too, and none of them owns it');
  here.close();
});

test('before the catalog was read, nothing is certainly not owned', () => {
  const config = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const here = new EntraAccess({ json: config, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  const [, not] = createOwnershipRules(here) as [typeof owned, typeof owned];
  assert.ok(here.sessions.open(REFS.olivia, recordOf(), IN_AN_HOUR));
  const question = { principal: REFS.olivia, ...here.versionOf(REFS.olivia) };
  assert.equal(not.apply(entity(['group:default/payments']), question), false);
  here.close();
});

test('who is not known gets nothing, from both rules', () => {
  const candidates = entities();
  for (const principal of [REFS.stranger, '', 'nonsense', '__proto__', REFS.olivia.toUpperCase()]) {
    for (const rule of [owned, notOwned]) {
      assert.ok(!candidates.some(candidate => rule.apply(candidate, params(principal))), principal);
      const query = rule.toQuery(params(principal)) as EntityFilter;
      assert.ok(!candidates.some(candidate => matches(query, candidate)), principal);
      assert.deepEqual(query, { key: 'relations.ownedBy', values: [] });
    }
  }
});

test('a decision by a newer directory or sign-in than is known here is not answered, by either rule', () => {
  const mine = entity(['group:default/payments']);
  const asked: unknown[] = [];
  entraAccess.directory.catalogIs(7);
  entraAccess.directory.follow(async () => void asked.push('directory'));
  try {
    assert.deepEqual(params(REFS.olivia), { principal: REFS.olivia, epoch: 7, session: 0 });
    assert.equal(owned.apply(mine, params(REFS.olivia)), true);
    for (const newer of [{ epoch: 8 }, { session: 1 }, { epoch: Number.MAX_SAFE_INTEGER, session: 1 }]) {
      const question = params(REFS.olivia, newer);
      for (const rule of [owned, notOwned]) {
        assert.equal(rule.apply(mine, question), false);
        assert.equal(rule.apply(entity([]), question), false);
        assert.deepEqual(rule.toQuery(question), { key: 'relations.ownedBy', values: [] });
      }
    }
    assert.deepEqual(asked, ['directory'], 'got for the next one, and asked for once in a while only');
    for (const older of [{ epoch: 6 }, { epoch: 0 }]) {
      assert.equal(owned.apply(mine, params(REFS.olivia, older)), true, 'by what is known now');
    }
  } finally {
    entraAccess.directory.catalogIs(0);
  }
});

test('a directory that changes counts at once', () => {
  const [first, second] = [entity(['group:default/payments']), entity(['group:default/search'])];
  open(REFS.stranger, { objectId: people.greg.oid, groups: { state: 'known', ids: [groups.payments.id] } });
  const ask = () => [first, second].map(candidate => owned.apply(candidate, params(REFS.stranger)));
  assert.deepEqual(ask(), [true, false]);
  setDirectory([groups.searchEngineers.id, groups.payments.id]);
  assert.deepEqual(ask(), [false, true]);
  setDirectory([groups.payments.id, groups.searchEngineers.id]);
  assert.deepEqual(ask(), [true, false]);
});

test('a new sign-in with other groups counts at once', () => {
  const mine = entity(['group:default/payments']);
  const ref = `user:default/${people.frank.oid}`;
  const groupsNow = (ids: string[]) => open(ref, { objectId: people.frank.oid, groups: { state: 'known', ids } });
  groupsNow([groups.payments.id]);
  assert.equal(owned.apply(mine, params(ref)), true);
  groupsNow([]);
  assert.equal(owned.apply(mine, params(ref)), false);
  assert.equal(notOwned.apply(mine, params(ref)), true);
});

test('an owner of whom the directory does not know yet that it owns something still is one', () => {
  const ref = `user:default/${people.dana.oid}`;
  const fresh = 'group:default/fresh';
  open(ref, { objectId: people.dana.oid, groups: { state: 'known', ids: [groups.paymentsEngineers.id] } });
  const bound = [{ entityRef: fresh, groupId: groups.paymentsEngineers.id }];
  assert.equal(entraAccess.core.setDirectory({ groups: bound, owners: TEAMS }).ok, true);
  try {
    const [mine, other] = [entity([fresh]), entity(['group:default/idle'])];
    const query = notOwned.toQuery(params(ref)) as EntityFilter;
    assert.deepEqual([notOwned.apply(mine, params(ref)), matches(query, mine)], [false, false]);
    assert.deepEqual([notOwned.apply(other, params(ref)), matches(query, other)], [true, true]);
  } finally {
    setDirectory([groups.payments.id, groups.searchEngineers.id, groups.platformAdmins.id]);
  }
});

test('a handle that comes round again does not bring back the groups of long ago', () => {
  const mine = entity(['group:default/payments']);
  const ref = `user:default/${people.frank.oid}`;
  const signIn = (ids: string[]) => {
    open(ref, { objectId: people.frank.oid, groups: { state: 'known', ids } });
    return entraAccess.sessions.find(ref);
  };
  const first = signIn([groups.payments.id]);
  assert.equal(owned.apply(mine, params(ref)), true);
  let signIns = 1;
  while (signIn([]) !== first) assert.ok((signIns += 1) < 20_000);
  assert.equal(owned.apply(mine, params(ref)), false);
  assert.equal(notOwned.apply(mine, params(ref)), true);
});

test('without params nothing is owned, and nothing is not', () => {
  for (const rule of [owned, notOwned]) assert.equal(rule.apply(entity(TEAMS), undefined as never), false);
});

test('the rules have the names that the policy asks for', () => {
  assert.deepEqual([owned.name, notOwned.name], [RULES.owned, RULES.notOwned]);
});

test('the params schema takes a principal and two numbers, and nothing else', () => {
  const valid = (value: unknown) => !('issues' in paramsSchema['~standard'].validate(value));
  const good = { principal: 'user:default/x', epoch: 0, session: 3 };
  assert.ok(valid(good));
  const { principal, ...noPrincipal } = good;
  const wrong = ['epoch', 'session'].flatMap(name => [
    { ...good, [name]: undefined },
    ...['1', 1.5, NaN, Infinity, -1, 2 ** 53, null, []].map(value => ({ ...good, [name]: value })),
  ]);
  for (const value of [
    ...[undefined, null, 'x', 7, [], {}],
    ...[{ principal }, noPrincipal, { principal, epoch: 0 }, { principal, session: 0 }],
    ...[
      { ...good, principal: 7 },
      { ...good, groups: [] },
    ],
    ...wrong,
  ]) {
    assert.equal(valid(value), false, JSON.stringify(value));
  }
});

test('what the schema says about itself is what it does', () => {
  const { input, output } = paramsSchema['~standard'].jsonSchema;
  assert.deepEqual(input(), output());
  assert.deepEqual(input().required, ['principal', 'epoch', 'session']);
  assert.deepEqual(Object.keys(input().properties), input().required);
  assert.equal(input().additionalProperties, false);
  assert.deepEqual([input().properties.epoch.minimum, input().properties.session.minimum], [0, 0]);
});
