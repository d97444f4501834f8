import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { OVERAGE_GRAPH } from '../../dev/story/overageGraph';
import { backstageApi, workloads } from '../../dev/tenant/applications';
import { groups, people, type Principal as Somebody } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { DIRECTORY, POLICY, READ, DELETE } from '../../e2e/support/core';
import { graphRequests, READER } from '../../e2e/support/graph';
import { RecordingLogger } from '../../e2e/support/logger';
import { TokenRejectedError, type PrincipalHandle } from '../core';
import { EntraAccess } from '../service/entraAccess';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;

let tenant: Tenant;
let entraAccess: EntraAccess;
before(async () => {
  tenant = await startTenant();
});
beforeEach(() => {
  tenant.faults.graph = undefined;
  entraAccess = build({
    ...OVERAGE_GRAPH,
    workloads: [{ client: workloads.stranger.clientId, groups: [groups.searchEngineers.id] }],
  });
});
afterEach(() => entraAccess.close());
after(() => tenant.close());

function build(section: object, graph = true): EntraAccess {
  const { authority, tenantId } = tenant;
  const clients = [workloads.scanner, workloads.stranger].map(({ clientId }) => clientId);
  const json = JSON.stringify({
    tenants: [{ tenantId, cloud: 'lab', audiences: [backstageApi.clientId], clients }],
    clouds: { lab: { authority, graph: `${authority}/graph` } },
    groups: section,
    policy: { rules: [] },
  });
  const policy = { json: POLICY, place: 'policy' };
  const built = new EntraAccess({ json, policy, graph: graph ? READER : undefined }, new RecordingLogger());
  built.core.setDirectory(DIRECTORY);
  return built;
}

function groupsOf(handle: PrincipalHandle, of = entraAccess) {
  const record = of.core.describe(handle);
  assert.ok(record);
  return { state: record.groups.state, count: record.groups.ids.length };
}

const enter = (principal: Somebody) => entraAccess.authenticate(tenant.mintAccessToken(principal));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; !(await condition()); round += 1) {
    assert.ok(round < 400, 'it never happened');
    await new Promise(resolve => setTimeout(resolve, 25));
  }
}

test('a stored session that this version cannot read is nobody, and no failure', async () => {
  const [ref, asked] = ['user:default/somebody', graphRequests(tenant)];
  for (const record of [null, {}, { groups: { state: 'unknown', ids: [] } }, { groups: null }]) {
    entraAccess.sessions.put(ref, record as never, IN_AN_HOUR, { revision: Date.now(), since: 0 });
    await entraAccess.completed(ref);
    assert.equal(entraAccess.decide(ref, READ).ground, 'unknownPrincipal');
    entraAccess.sessions.clear();
  }
  assert.equal(graphRequests(tenant), asked, 'nobody is asked for');
});

test('a token without its groups is completed, and the same token again costs nothing', async () => {
  const before = graphRequests(tenant);
  const token = tenant.mintAccessToken(people.otto);
  const handle = await entraAccess.authenticate(token);
  assert.deepEqual(groupsOf(handle), { state: 'known', count: 251 });
  assert.equal(await entraAccess.authenticate(token), handle, 'remembered');
  // Another token of the same person: its groups are known here.
  assert.deepEqual(groupsOf(await enter(people.otto)), { state: 'known', count: 251 });
  assert.equal(graphRequests(tenant) - before, 1);
  assert.equal(entraAccess.core.decide(handle, DELETE).effect, 'CONDITIONAL');
});

test('a token that lists its groups, or says that there are none, needs no Graph', async () => {
  const before = graphRequests(tenant);
  assert.deepEqual(groupsOf(await enter(people.olivia)), { state: 'known', count: 2 });
  const none = tenant.mintAccessToken(people.otto, { claims: { _claim_names: undefined, groups: [] } });
  assert.deepEqual(groupsOf(await entraAccess.authenticate(none)), { state: 'known', count: 0 });
  assert.equal(graphRequests(tenant), before);
});

test('while Graph is away groups stay unknown, and the same token again is completed when it is back', async () => {
  tenant.faults.graph = 'unavailable';
  const token = tenant.mintAccessToken(people.otto);
  const handle = await entraAccess.authenticate(token);
  assert.deepEqual(groupsOf(handle), { state: 'unknown', count: 0 });
  assert.equal(entraAccess.core.decide(handle, READ).effect, 'ALLOW', 'a rule that needs no groups');
  assert.equal(entraAccess.core.decide(handle, DELETE).effect, 'DENY');
  assert.match(entraAccess.whyUnknown(handle) ?? '', /^groups_unknown: Microsoft Graph answered 503; unknown is never/);
  tenant.faults.graph = undefined;
  await until(async () => groupsOf(await entraAccess.authenticate(token)).state === 'known');
  assert.equal(await entraAccess.authenticate(token), handle);
  assert.equal(entraAccess.core.decide(handle, DELETE).effect, 'CONDITIONAL');
  assert.equal(entraAccess.whyUnknown(handle), undefined);
});

test('who signed in while Graph was away is completed on a later question, as whoever asks the catalog sees', async () => {
  tenant.faults.graph = 'throttledSilently';
  const handle = await enter(people.otto);
  const record = entraAccess.core.describe(handle);
  assert.ok(record);
  const ref = 'user:default/otto';
  entraAccess.sessions.open(ref, record, IN_AN_HOUR);
  await entraAccess.completed(ref);
  assert.equal(entraAccess.decide(ref, DELETE).effect, 'DENY');
  const explanation = entraAccess.explain(ref, DELETE);
  assert.equal(explanation?.groups.state, 'unknown');
  assert.match(explanation?.groups.reason ?? '', /^groups_unknown: Microsoft Graph answered 429/);
  assert.equal(explanation?.reasons.at(-1), explanation?.groups.reason);
  const before = entraAccess.sessions.current(ref)?.sequence;

  tenant.faults.graph = undefined;
  await until(async () => {
    await entraAccess.completed(ref);
    return entraAccess.decide(ref, DELETE).effect === 'CONDITIONAL';
  });
  assert.equal(entraAccess.completed(ref), undefined, 'nothing is left to wait for');
  assert.notEqual(entraAccess.sessions.current(ref)?.sequence, before, 'owners are looked up again');
  assert.deepEqual(entraAccess.explain(ref, DELETE)?.groups, { state: 'known', count: 251, matched: [] });
  assert.equal(entraAccess.sessions.record(ref)?.groups.ids.length, 251, 'also for a core that is restarted');
});

test('a list that comes too late completes nobody else', async () => {
  const record = entraAccess.core.describe(await enter(people.olivia));
  assert.ok(record);
  const unknown = { ...record, groups: { state: 'unknown' as const, ids: [] } };
  const ref = 'user:default/olivia';
  entraAccess.sessions.open(ref, unknown, IN_AN_HOUR);
  // A newer sign-in of the same person, of which more is known.
  entraAccess.sessions.open(ref, record, IN_AN_HOUR);
  entraAccess.sessions.complete(ref, unknown, [groups.platformAdmins.id]);
  entraAccess.sessions.complete(ref, record, [groups.platformAdmins.id]);
  entraAccess.sessions.complete('user:default/nobody', unknown, []);
  assert.deepEqual(entraAccess.sessions.record(ref)?.groups, record.groups);
  const handle = entraAccess.sessions.find(ref);
  assert.ok(handle !== undefined);
  assert.deepEqual(groupsOf(handle), { state: 'known', count: 2 });
});

test('workloads have the groups of the mapping, else those of Graph, and unknown ones while it is away', async () => {
  const before = graphRequests(tenant);
  assert.deepEqual(groupsOf(await enter(workloads.stranger)), { state: 'known', count: 1 });
  assert.equal(graphRequests(tenant), before);
  tenant.faults.graph = 'down';
  assert.deepEqual(groupsOf(await enter(workloads.scanner)), { state: 'unknown', count: 0 });
  tenant.faults.graph = undefined;
  await until(async () => groupsOf(await enter(workloads.scanner)).state === 'known');
});

test('the groups of the core are not replaced, and nonsense completes nobody', async () => {
  tenant.faults.graph = 'notThere';
  const unknown = await enter(people.otto);
  for (const ids of [['payments-engineers'], [''], [groups.payments.id, 'x'], [7]]) {
    assert.equal(entraAccess.core.completeGroups(unknown, ids as string[]), false);
  }
  assert.deepEqual(groupsOf(unknown), { state: 'unknown', count: 0 });
  assert.match(entraAccess.whyUnknown(unknown) ?? '', /404/);
  const known = await enter(people.olivia);
  assert.equal(entraAccess.core.completeGroups(known, [groups.platformAdmins.id]), false);
  assert.equal(entraAccess.core.completeGroups(0 as PrincipalHandle, []), false);
});

test('without Graph unknown stays unknown, with what to set, and `reject` refuses the token', async () => {
  const token = tenant.mintAccessToken(people.otto);
  const unknown = build({ overage: 'unknown' }, false);
  const handle = await unknown.authenticate(token);
  assert.deepEqual(groupsOf(handle, unknown), { state: 'unknown', count: 0 });
  assert.match(
    unknown.whyUnknown(handle) ?? '',
    /^groups_unknown: the token leaves.*set `entraAccess\.groups\.overage: graph`/,
  );
  assert.deepEqual(unknown.graph, []);
  const reject = build({ overage: 'reject' }, false);
  const refusal = (error: unknown) => error instanceof TokenRejectedError && error.code === 'groups_unknown';
  await assert.rejects(reject.authenticate(token), refusal);
  for (const each of [unknown, reject]) each.close();
});
