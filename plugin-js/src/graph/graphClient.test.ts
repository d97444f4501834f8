import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { graphOf, graphRequests, READER } from '../../e2e/support/graph';
import { workloads } from '../../dev/tenant/applications';
import type { Faults } from '../../dev/tenant/faults';
import { directoryRoles } from '../../dev/tenant/graphDirectory';
import { groups, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { nextPage } from './addresses';
import { createCredential } from './credential';
import { GraphClient } from './graphClient';
import { GraphError } from './graphError';
import { GRAPH_LIMITS, type GraphLimits } from './limits';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
afterEach(() => {
  tenant.faults.graph = undefined;
  tenant.faults.token = undefined;
  tenant.faults.retryAfter = undefined;
});
after(() => tenant.close());

function client(limits: Partial<GraphLimits> = {}, settings = READER): GraphClient {
  const fast = { ...GRAPH_LIMITS, backoffMs: 5, ...limits };
  return new GraphClient(graphOf(tenant), createCredential(settings, graphOf(tenant)), fast);
}

async function failure(asked: Promise<unknown>): Promise<GraphError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GraphError, String(error));
  assert.doesNotMatch(error.message, /eyJ|simulated-secret/, 'no token and no secret');
  return error;
}

test('the groups of a person at any depth, beyond what a token holds', async () => {
  assert.deepEqual(await client().groupsOf('users', people.nina.oid), [
    groups.paymentsOnCall.id,
    groups.paymentsEngineers.id,
    groups.payments.id,
  ]);
  assert.equal((await client().groupsOf('users', people.otto.oid)).length, 251, 'without the lunch club and the role');
  assert.deepEqual(await client().groupsOf('users', people.rita.oid), []);
});

test('the groups of a workload', async () => {
  const ids = await client().groupsOf('servicePrincipals', workloads.scanner.oid);
  assert.ok(ids.includes(groups.payments.id));
});

test('more than 11,000 groups are read page by page, and nothing but security groups counts', async () => {
  const before = graphRequests(tenant);
  const ids = await client().groupsOf('users', people.maxine.oid);
  assert.equal(ids.length, 11_251);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(!ids.includes(directoryRoles.userAdministrator.id));
  assert.equal(graphRequests(tenant) - before, 1 + Math.ceil(11_252 / 999));
});

for (const [fault, reason, attempts, scope] of [
  ['down', /could not be reached/, 3, 'tenant'],
  ['unavailable', /answered 503/, 3, 'tenant'],
  ['notJson', /not JSON/, 3, 'tenant'],
  ['malformed', /not JSON/, 3, 'tenant'],
  ['resetMidBody', /could not be reached/, 3, 'tenant'],
  ['throttledSilently', /answered 429 TooManyRequests/, 3, 'tenant'],
  ['huge', /refused: longer than 2097152 bytes/, 1, 'principal'],
  ['redirect', /answered 302, a redirect, which is not followed/, 1, 'tenant'],
  ['names', /refused: an id in it is not a GUID/, 1, 'principal'],
  ['notThere', /answered 404 Request_ResourceNotFound: the tenant has no such object/, 1, 'principal'],
] as Array<[Faults['graph'], RegExp, number, string]>) {
  test(`${fault} is a failure with its reason, after ${attempts} attempts`, async () => {
    tenant.faults.graph = fault;
    const [before, redirected] = [graphRequests(tenant), tenant.requests.redirected];
    const error = await failure(client().groupsOf('users', people.otto.oid));
    assert.match(error.message, reason);
    assert.equal(error.scope, scope);
    assert.equal(graphRequests(tenant) - before, attempts);
    assert.equal(tenant.requests.redirected, redirected, 'nobody follows');
  });
}

for (const [fault, reason] of [
  ['foreignNextLink', /the next page is at another address/],
  ['endlessPages', /it names a page twice/],
] as Array<[Faults['graph'], RegExp]>) {
  test(`${fault} gives no half of a list`, async () => {
    tenant.faults.graph = fault;
    const error = await failure(client().groupsOf('users', people.maxine.oid));
    assert.match(error.message, reason);
    assert.equal(error.scope, 'principal');
  });
}

test('a server that hangs costs no more than the budget of one resolution', async () => {
  tenant.faults.graph = 'slow';
  const error = await failure(client({ requestMs: 60, resolutionMs: 150 }).groupsOf('users', people.otto.oid));
  assert.match(error.message, /no answer within|took longer than/);
  assert.equal(error.scope, 'tenant');
});

test('an outage that ends between two attempts is none', async () => {
  tenant.faults.graph = 'unavailable';
  const asked = client({ backoffMs: 200 }).groupsOf('users', people.dana.oid);
  await until(() => graphRequests(tenant) > 0);
  tenant.faults.graph = undefined;
  assert.deepEqual(await asked, [groups.searchEngineers.id]);
});

test('Retry-After is honoured: nobody of the tenant asks before, and what cannot be waited for fails at once', async () => {
  const one = client();
  tenant.faults.graph = 'throttled';
  tenant.faults.retryAfter = 30;
  const before = graphRequests(tenant);
  const error = await failure(one.groupsOf('users', people.otto.oid));
  assert.match(error.message, /answered 429 TooManyRequests/);
  tenant.faults.graph = undefined;
  const other = await failure(one.groupsOf('users', people.dana.oid));
  assert.match(other.message, /throttles: it is asked again in \d\d s/);
  assert.equal(graphRequests(tenant) - before, 1);
  assert.ok(one.silentUntil > Date.now() + 20_000);

  tenant.faults.graph = 'throttled';
  tenant.faults.retryAfter = 1;
  const patient = client();
  const asked = patient.groupsOf('users', people.dana.oid);
  await until(() => patient.silentUntil > 0);
  tenant.faults.graph = undefined;
  const { silentUntil } = patient;
  assert.deepEqual(await asked, [groups.searchEngineers.id]);
  assert.ok(Date.now() >= silentUntil);
});

test('a missing permission is named with where to read about it', async () => {
  const { clientId, secret } = workloads.scanner;
  const error = await failure(client({}, { kind: 'secret', clientId, secret }).groupsOf('users', people.otto.oid));
  assert.match(error.message, /answered 403 Authorization_RequestDenied: grant .*docs\/groups\.md/);
  assert.deepEqual([error.status, error.scope], [403, 'principal']);
});

test('a link to a next page leads to the same list on the same host', () => {
  const first = new URL('https://graph.example/v1.0/users/x/transitiveMemberOf/microsoft.graph.group?$top=999');
  const fits = (link: string) => nextPage(link, first) !== undefined;
  assert.ok(fits('https://graph.example/v1.0/users/x/transitiveMemberOf/microsoft.graph.group?$skiptoken=a'));
  assert.ok(fits('https://graph.example/v1.0/Users/x/transitiveMemberOf/microsoft.graph.group?$skiptoken=a'));
  for (const link of [
    'https://graph.example.evil/v1.0/users/x/transitiveMemberOf/microsoft.graph.group',
    'http://graph.example/v1.0/users/x/transitiveMemberOf/microsoft.graph.group',
    'https://graph.example:8443/v1.0/users/x/transitiveMemberOf/microsoft.graph.group',
    'https://u:p@graph.example/v1.0/users/x/transitiveMemberOf/microsoft.graph.group',
    'https://graph.example/v1.0/users/y/transitiveMemberOf/microsoft.graph.group',
    'https://graph.example/v1.0/users/x/transitiveMemberOf',
    '//evil.example/v1.0',
    'nonsense',
    '',
  ]) {
    assert.ok(!fits(link), link);
  }
});

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round += 1) {
    assert.ok(round < 2_000, 'it never happened');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
