import assert from 'node:assert/strict';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { graphOf, graphRequests, READER } from '../../e2e/support/graph';
import { RecordingLogger } from '../../e2e/support/logger';
import { workloads } from '../../dev/tenant/applications';
import { agents, groups, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { FOREIGN_TENANT_ID } from '../../dev/tenant/tenantIds';
import { ConfigurationError, type Issuer } from '../core';
import { GroupResolver } from './groupResolver';
import type { GraphLimits } from './limits';
import { ResolutionCache } from './resolutionCache';
import type { GraphSettings } from './settings';
import type { Subject } from './tenantGroups';

let tenant: Tenant;
let logger: RecordingLogger;
before(async () => {
  tenant = await startTenant();
});
beforeEach(() => {
  tenant.faults.graph = undefined;
  tenant.faults.token = undefined;
  logger = new RecordingLogger();
});
after(() => tenant.close());

function issuer(change: Partial<Issuer> = {}): Issuer {
  const id = `entra-v2:${tenant.tenantId}`;
  return { index: 0, id, issuer: '', discoveryUrl: '', ...graphOf(tenant), ...change };
}

function resolver(limits: Partial<GraphLimits> = {}, settings: GraphSettings = READER): GroupResolver {
  const fast = { backoffMs: 1, ...limits };
  // v1.0 tokens have an issuer of their own and the same Graph.
  return new GroupResolver({ issuers: [issuer(), issuer({ index: 1 })], settings, logger, limits: fast });
}

function subject(principal: { oid: string; tenantId: string }, kind: Subject['kind'] = 'user'): Subject {
  return { kind, tenantId: principal.tenantId, objectId: principal.oid };
}

async function idsOf(from: GroupResolver, of: Subject): Promise<readonly string[]> {
  const resolution = await from.resolve(of);
  assert.ok(resolution.ok, JSON.stringify(resolution));
  return resolution.ids;
}

async function reasonOf(from: GroupResolver, of: Subject): Promise<string> {
  const resolution = await from.resolve(of);
  assert.ok(!resolution.ok);
  return resolution.reason;
}

/** A clock that stands still until it is moved: how fast this machine is does not matter */
const stopClock = ({ mock }: TestContext) => mock.timers.enable({ apis: ['Date'], now: Date.now() });

test('a person, a workload, an agent for a person, with an account of its own and by itself', async () => {
  const one = resolver();
  assert.equal((await idsOf(one, subject(people.otto))).length, 251);
  assert.ok((await idsOf(one, subject(workloads.scanner, 'workload'))).includes(groups.payments.id));
  const { onBehalfOfOlivia, agentUser } = agents;
  assert.deepEqual(await idsOf(one, subject(onBehalfOfOlivia.user, 'agent')), [
    groups.paymentsEngineers.id,
    groups.payments.id,
  ]);
  assert.equal((await idsOf(one, subject(agentUser.user, 'agent'))).length, 2);
  assert.deepEqual(await idsOf(one, subject(workloads.autonomousAgent, 'agent')), [groups.searchEngineers.id]);
  // A workload is never looked for among people, nor a person among workloads.
  assert.match(await reasonOf(resolver(), subject(people.olivia, 'workload')), /404/);
  assert.match(await reasonOf(resolver(), subject(workloads.scanner)), /404/);
  assert.match(await reasonOf(one, subject(people.olivia, 'pipeline')), /nothing of this kind/);
});

test('a hundred at once for the same principal cost one request, and so do all others for five minutes', async t => {
  stopClock(t);
  const one = resolver();
  const before = graphRequests(tenant);
  const all = await Promise.all(Array.from({ length: 100 }, () => one.resolve(subject(people.otto))));
  assert.ok(all.every(resolution => resolution === all[0] && resolution.ok));
  await idsOf(one, subject(people.otto));
  t.mock.timers.tick(5 * 60_000 - 1);
  await idsOf(one, subject(people.otto));
  assert.equal(graphRequests(tenant) - before, 1);

  t.mock.timers.tick(1);
  await idsOf(one, subject(people.otto));
  assert.equal(graphRequests(tenant) - before, 2);
});

test('a flood in an outage costs one question at a time, and one line in the log', async t => {
  stopClock(t);
  const one = resolver({ outageMs: { min: 1_000, max: 60_000 } });
  await idsOf(one, subject(people.dana));
  assert.deepEqual(
    one.states.map(({ state }) => state),
    ['ok'],
  );
  tenant.faults.graph = 'unavailable';
  const before = graphRequests(tenant);
  const attempts = () => graphRequests(tenant) - before;
  const flood = Object.values(people).filter(({ tenantId, key }) => tenantId === tenant.tenantId && key !== 'dana');
  const everybodyIsRefused = async () => {
    for (let round = 0; round < 5; round += 1) {
      const reasons = await Promise.all(flood.map(person => reasonOf(one, subject(person))));
      assert.ok(reasons.every(reason => reason === 'Microsoft Graph answered 503'));
    }
  };
  assert.equal(await reasonOf(one, subject(people.otto)), 'Microsoft Graph answered 503');
  await everybodyIsRefused();
  assert.equal(attempts(), 3, 'of the first question');
  t.mock.timers.tick(1_000);
  await everybodyIsRefused();
  assert.equal(attempts(), 6, 'and of one more');
  t.mock.timers.tick(1_000);
  await everybodyIsRefused();
  assert.equal(attempts(), 6, 'the next pause is longer');
  assert.equal((await idsOf(one, subject(people.dana))).length, 1, 'what is known stays known');
  assert.equal(one.reasonFor(subject(people.otto)), 'Microsoft Graph answered 503');
  const [state] = one.states;
  assert.deepEqual(
    [state?.tenant, state?.state, state?.error],
    [tenant.tenantId, 'failing', 'Microsoft Graph answered 503'],
  );
  assert.ok(state?.lastSuccess);
  assert.equal(logger.complaints.length, 1, logger.complaints.join('\n'));

  tenant.faults.graph = undefined;
  t.mock.timers.tick(2_000);
  assert.equal((await idsOf(one, subject(people.otto))).length, 251);
  assert.deepEqual(
    one.states.map(({ state: now, error }) => [now, error]),
    [['ok', undefined]],
  );
  assert.equal(one.reasonFor(subject(people.otto)), undefined);
  assert.equal(logger.lines.length, 2);
  assert.match(logger.lines[1] ?? '', /answers again/);
});

test('so many at once and no more; those who were on their way are one outage', async t => {
  stopClock(t);
  const one = resolver({ outageMs: { min: 1_000, max: 60_000 } });
  const prefix = people.dana.oid.slice(0, -2);
  const many = Array.from({ length: 80 }, (_, at) => subject({ ...people.dana, oid: `${prefix}${at + 10}` }));
  tenant.faults.graph = 'unavailable';
  const reasons = await Promise.all(many.map(each => reasonOf(one, each)));
  assert.equal(reasons.filter(reason => reason.startsWith('too many principals')).length, 80 - 64);
  tenant.faults.graph = undefined;
  t.mock.timers.tick(1_000);
  for (const each of many.slice(-2)) assert.match(await reasonOf(one, each), /404/, 'asked for');
});

test('what is wrong with one principal is remembered for it alone', async () => {
  const one = resolver();
  const nobody = { kind: 'user', tenantId: tenant.tenantId, objectId: '00000000-0000-4000-8000-000000000000' } as const;
  const before = graphRequests(tenant);
  for (let round = 0; round < 10; round += 1) assert.match(await reasonOf(one, nobody), /404/);
  assert.equal(graphRequests(tenant) - before, 1);
  assert.match(one.reasonFor(nobody) ?? '', /404/);
  assert.equal((await idsOf(one, subject(people.olivia))).length, 2);
  assert.deepEqual(logger.lines, [], 'nor is it worth a line: anybody could write many');
});

test('a missing permission is shown, for what it is missing, until it is granted', async () => {
  const { clientId, secret } = workloads.scanner;
  const one = resolver({}, { kind: 'secret', clientId, secret });
  for (const person of [people.olivia, people.dana]) assert.match(await reasonOf(one, subject(person)), /403/);
  assert.match(await reasonOf(one, subject(workloads.scanner, 'workload')), /403/);
  assert.match(one.states[0]?.error ?? '', /403 Authorization_RequestDenied: grant/);
  assert.equal(logger.complaints.length, 2);
});

test('a credential that Entra refuses is a state with a reason, and never "no groups"', async () => {
  const one = resolver({}, { kind: 'secret', clientId: workloads.groupReader.clientId, secret: 'Not-The-S3cret' });
  const reason = await reasonOf(one, subject(people.rita));
  assert.equal(reason, 'there is no token for Microsoft Graph: 401 AADSTS7000215 invalid_client');
  assert.deepEqual([one.states[0]?.state, one.states[0]?.error], ['failing', reason]);
  assert.match(logger.complaints[0] ?? '', /AADSTS7000215.*rules that need them do not allow/);
  assert.doesNotMatch(logger.lines.join() + reason, /S3cret/);
});

test('a foreign tenant, and one whose cloud has no Graph, are asked nothing', async () => {
  const one = resolver();
  const before = graphRequests(tenant);
  const foreign: Subject = { kind: 'user', tenantId: FOREIGN_TENANT_ID, objectId: people.frank.oid };
  assert.match(await reasonOf(one, foreign), /no Microsoft Graph configured/);
  const none = new GroupResolver({ issuers: [issuer({ graph: '' })], settings: READER, logger });
  assert.match(await reasonOf(none, subject(people.olivia)), /no Microsoft Graph configured/);
  assert.equal(graphRequests(tenant), before);
  assert.deepEqual(none.states, []);
});

test('a certificate cannot be shown over plain http', () => {
  const settings: GraphSettings = { kind: 'certificate', clientId: workloads.groupReader.clientId, path: '/x.pem' };
  assert.throws(() => resolver({}, settings), ConfigurationError);
});

test('what is kept is bounded, and the oldest goes first', () => {
  const cache = new ResolutionCache();
  const ids = Array.from({ length: 40_000 }, (_, at) => String(at));
  for (let at = 0; at < 20; at += 1) cache.keep(String(at), { ok: true, ids }, 1_000);
  assert.equal(cache.size, 12);
  assert.equal(cache.find('7', 0), undefined);
  assert.ok(cache.find('8', 0));
  assert.equal(cache.find('8', 1_000), undefined, 'expired');
  for (let at = 0; at < 10_100; at += 1) cache.keep(`r${at}`, { ok: false, reason: 'x' }, 1_000);
  assert.equal(cache.size, 10_000);
  cache.keep('r10099', { ok: true, ids: [] }, 1_000);
  assert.equal(cache.size, 10_000, 'replaced, not added');
});
