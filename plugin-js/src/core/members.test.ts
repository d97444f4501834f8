import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, FROM_ENTRA, READ, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { watchedCore } from '../../e2e/support/watchedCore';
import { accountEntries } from './accountEntries';
import { EntraCore } from './core';
import type { MembersLoading } from './members';
import type { WasmCore } from './wasm';

const { tenantId } = recordOf();
const lab = { authority: 'http://127.0.0.1:1', graph: 'http://127.0.0.1:1/graph' };
const configuration = JSON.stringify({
  ...JSON.parse(configurationOf({ ...lab, tenantId })),
  clouds: { lab },
  groups: { source: 'graph', graph: { managedIdentity: true } },
});
const OLIVIA = people.olivia.oid;
const PAYMENTS = { entityRef: 'group:default/payments', groupId: groups.payments.id, ...FROM_ENTRA };

let core: EntraCore;
/** The instance inside, to break it */
let inside: WasmCore;
beforeEach(() => {
  core?.close();
  const load = watchedCore(instance => (inside = instance));
  core = new EntraCore({ configuration, staleAfter: 900, logger: new RecordingLogger(), load });
  core.setDirectory({ groups: [PAYMENTS], owners: [PAYMENTS.entityRef] });
});
after(() => core.close());

const member = (kind: 'user' | 'group', id: string, more = {}) => ({
  '@odata.type': `#microsoft.graph.${kind}`,
  id,
  ...more,
});
const page = (value: unknown, links = {}) => Buffer.from(JSON.stringify({ value, ...links }));
const entry = (id: string, ...members: unknown[]) => ({ id, 'members@delta': members });

function begin(what: 'all' | 'changes' = 'all', covered: string[] | null = null): MembersLoading {
  const begun = core.members.begin(tenantId, what, covered);
  assert.ok(begun.ok, JSON.stringify(begun));
  return begun.value;
}

const NEXT = 'https://graph.microsoft.com/v1.0/groups/delta?$skiptoken=x';
/** Olivia is an engineer, and engineers are in payments: on two pages */
const ALL = [
  page([entry(groups.payments.id, member('group', groups.paymentsEngineers.id))], { '@odata.nextLink': NEXT }),
  page([entry(groups.paymentsEngineers.id, member('user', OLIVIA))]),
] as const;

function loadAll(): void {
  const loading = begin();
  const first = loading.add(ALL[0]);
  assert.deepEqual(first, { ok: true, value: { groups: 1, members: 1 } });
  assert.ok(loading.add(ALL[1]).ok);
  const outcome = loading.commit(() => ALL);
  assert.ok(outcome.ok);
  assert.deepEqual({ ...outcome.value, bytes: 0 }, { groups: 2, principals: 1, memberships: 1, nested: 1, bytes: 0 });
  assert.ok(outcome.value.bytes > 0);
  assert.ok(core.accounts.take(tenantId, 'all', [accountEntries([{ id: OLIVIA, enabled: true }])]).ok);
  core.freshness.set(tenantId, Math.floor(Date.now() / 1000));
}

const groupsOfOlivia = () => core.members.groupsOf(tenantId, OLIVIA)?.sort();
const BOTH = [groups.paymentsEngineers.id, groups.payments.id].sort();

function ownersOfOlivia(ids: string[] = []): string[] | undefined {
  const record = recordOf({ objectId: OLIVIA, groups: { state: 'known', ids } });
  return core.owners(core.admit(record, 'user:default/olivia', record.expiresAt)!);
}

test('a loading that was given up for another adds nothing to it, and does not commit it', () => {
  const [elsewhere, payments] = ['2b2b2b2b-2222-3333-4444-5555555555ff', groups.payments.id];
  const first = begin();
  const second = core.members.begin(elsewhere, 'all', null);
  assert.ok(second.ok && second.value.add(page([entry(payments, member('user', people.dana.oid))])).ok);
  const late = first.add(page([entry(payments, member('user', OLIVIA))]));
  assert.deepEqual(late, { ok: false, error: 'another loading has begun: begin again' });
  assert.equal(first.commit(() => []).ok, false);
  assert.deepEqual([core.members.find(elsewhere, people.dana.oid), groupsOfOlivia()], [undefined, undefined]);
  assert.ok(second.value.commit(() => []).ok);
  assert.deepEqual(core.members.groupsOf(elsewhere, people.dana.oid), [payments]);
  assert.equal(core.members.find(elsewhere, OLIVIA), undefined, 'of another tenant');
});

test('nothing counts before the commit, and then everything at once', () => {
  const { epoch } = core;
  const loading = begin();
  assert.ok(loading.add(page([entry(groups.payments.id, member('user', OLIVIA))])).ok);
  assert.deepEqual([groupsOfOlivia(), ownersOfOlivia(), core.epoch], [undefined, ['user:default/olivia'], epoch]);
  loadAll();
  assert.ok(core.epoch > epoch);
  assert.deepEqual(groupsOfOlivia(), BOTH);
  assert.deepEqual(ownersOfOlivia(), [PAYMENTS.entityRef, 'user:default/olivia']);
});

test('a member is resolved into numbers of its groups and of the owners above', () => {
  assert.equal(core.members.find(tenantId, OLIVIA), undefined);
  loadAll();
  const olivia = core.members.find(tenantId, OLIVIA.toUpperCase())!;
  assert.equal(new Set(core.members.resolve(olivia)).size, 3, 'two groups and an owner');
  for (const [tenant, object] of [
    [tenantId, people.dana.oid],
    [people.dana.oid, OLIVIA],
    ['contoso.com', OLIVIA],
    [tenantId, 'olivia'],
  ] as const) {
    assert.equal(core.members.find(tenant, object), undefined);
    assert.equal(core.members.groupsOf(tenant, object), undefined);
  }
  assert.equal(core.members.resolve(0xffff_ffff as never).length, 0);
});

test('a page that is none gives the loading up, and the directory stays', () => {
  loadAll();
  const loading = begin();
  const refused = loading.add(Buffer.from('{"error":{"code":"TooManyRequests"}}'));
  assert.match(refused.ok ? '' : refused.error, /not one of \/groups\/delta/);
  assert.equal(loading.add(page([])).ok, false);
  assert.deepEqual(
    loading.commit(() => []),
    { ok: false, error: 'nothing is being loaded: begin first' },
  );
  assert.deepEqual(groupsOfOlivia(), BOTH);
});

test('changes need something to change, and count from their commit on', () => {
  assert.deepEqual(core.members.begin(tenantId, 'changes', null), {
    ok: false,
    error: 'there is nothing to change yet: load all members first',
  });
  assert.equal(core.members.begin('contoso.com', 'all', null).ok, false);
  const noList = core.members.begin(tenantId, 'all', ['payments']);
  assert.match(noList.ok ? '' : noList.error, /GUID/);
  loadAll();
  const loading = begin('changes');
  const leaves = member('user', OLIVIA, { '@removed': { reason: 'deleted' } });
  assert.ok(loading.add(page([entry(groups.paymentsEngineers.id, leaves)])).ok);
  assert.ok(loading.commit(() => []).ok);
  assert.deepEqual(groupsOfOlivia(), []);
  assert.deepEqual(ownersOfOlivia([groups.payments.id]), ['user:default/olivia'], 'whatever an old token says');
});

test('about a group that was not loaded nothing is known, also in a fresh instance', async () => {
  const { searchEngineers, payments } = groups;
  const deny = { id: 'kept-out', effect: 'deny', permissions: ['*'], principals: [{ group: searchEngineers.id }] };
  core.setPolicy(JSON.stringify({ rules: [{ id: 'all', effect: 'allow', permissions: ['*'] }, deny] }), 'policy');
  loadAll();
  const may = () => {
    const record = recordOf({ objectId: OLIVIA });
    return core.decide(core.admit(record, 'user:default/olivia', record.expiresAt)!, READ).effect;
  };
  assert.equal(may(), 'ALLOW', 'everything is known');
  const some = begin('changes', [payments.id, groups.paymentsEngineers.id]);
  assert.ok(some.commit(() => ALL).ok);
  assert.equal(may(), 'DENY');
  const { instance } = core;
  inside.principals = () => {
    throw new Error('unreachable');
  };
  assert.equal(core.principals, 0);
  while (core.instance === instance || !core.available) await new Promise(resolve => setTimeout(resolve, 5));
  assert.equal(may(), 'DENY');
  assert.deepEqual(groupsOfOlivia(), BOTH);
  assert.ok(begin('changes', [payments.id, groups.paymentsEngineers.id, searchEngineers.id]).commit(() => ALL).ok);
  assert.equal(may(), 'ALLOW');
});

test('a fresh instance is told the members again, changes and all', async () => {
  loadAll();
  const changes = begin('changes');
  const joined = page([entry(groups.searchEngineers.id, member('user', OLIVIA))]);
  assert.ok(changes.add(joined).ok);
  assert.ok(changes.commit(() => [...ALL, joined]).ok);
  const all = [...BOTH, groups.searchEngineers.id].sort();
  assert.deepEqual(groupsOfOlivia(), all);

  const interrupted = begin();
  const { instance } = core;
  inside.principals = () => {
    throw new Error('unreachable');
  };
  assert.equal(core.principals, 0);
  assert.deepEqual([core.available, groupsOfOlivia()], [false, undefined]);
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal(core.instance, instance + 1);
  assert.deepEqual(groupsOfOlivia(), all);
  const late = interrupted.add(page([]));
  assert.match(late.ok ? '' : late.error, /begin again/);
  assert.equal(interrupted.commit(() => []).ok, false);
  assert.deepEqual(groupsOfOlivia(), all);
});
