import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { managedIdentity, MICROSOFT_GRAPH_ID, workloads, type Workload } from './applications';
import type { Faults } from './faults';
import { directoryRoles } from './graphDirectory';
import { graphBase, mintGraphToken } from './graphTokens';
import { managedIdentityEnvironment } from './managedIdentity';
import { groups, people } from './people';
import { startTenant } from './server';
import type { Tenant } from './tenant';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
afterEach(() => {
  tenant.faults.graph = undefined;
});
after(() => tenant.close());

type Body = Record<string, any>;

async function ask(path: string, init: { token?: string; body?: unknown; headers?: Record<string, string> } = {}) {
  const { token = mintGraphToken(tenant, workloads.groupReader, 3600), body, headers } = init;
  const url = path.startsWith('http') ? path : `${graphBase(tenant)}/v1.0/${path}`;
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

function memberGroups(id: string, kind = 'users', securityEnabledOnly: unknown = true) {
  return ask(`${kind}/${id}/getMemberGroups`, { body: { securityEnabledOnly } });
}

const EVENTUAL = { ConsistencyLevel: 'eventual' };

test('getMemberGroups lists what a user is in, at any depth, and no roles or units', async () => {
  const { status, body } = await memberGroups(people.nina.oid);
  assert.equal(status, 200);
  assert.deepEqual(body.value, [groups.paymentsOnCall.id, groups.paymentsEngineers.id, groups.payments.id]);
  assert.deepEqual((await memberGroups(people.adam.oid)).body.value, [groups.platformAdmins.id]);
  assert.equal((await memberGroups(people.otto.oid)).body.value.length, 251);
  assert.equal((await memberGroups(people.otto.oid, 'users', false)).body.value.length, 252, 'and the lunch club');
  assert.equal((await memberGroups(people.otto.oid, 'users', 'yes')).status, 400);
});

test('service principals are in groups of their own', async () => {
  const { body } = await memberGroups(workloads.scanner.oid, 'servicePrincipals');
  assert.equal(body.value.length, 3);
  assert.deepEqual((await memberGroups(workloads.stranger.oid, 'servicePrincipals')).body.value, []);
});

test('who is not there, is of another kind or of another tenant is a 404', async () => {
  for (const [id, kind] of [
    ['olivia', 'users'],
    [workloads.scanner.oid, 'users'],
    [people.olivia.oid, 'servicePrincipals'],
    [people.frank.oid, 'users'],
  ] as const) {
    const { status, body } = await memberGroups(id, kind);
    assert.deepEqual([status, body.error.code], [404, 'Request_ResourceNotFound'], id);
  }
});

test('more than 11,000 groups are not listed at once, only page by page', async () => {
  const { status, body } = await memberGroups(people.maxine.oid);
  assert.deepEqual([status, body.error.code], [400, 'Directory_ResultSizeLimitExceeded']);

  const ids = new Set<string>();
  const path = `users/${people.maxine.oid}/transitiveMemberOf/microsoft.graph.group?$count=true&$top=999`;
  let next: string | undefined = path;
  let pages = 0;
  while (next) {
    const answer = await ask(next, { headers: EVENTUAL });
    assert.equal(answer.status, 200);
    for (const { id } of answer.body.value) ids.add(id);
    next = answer.body['@odata.nextLink'];
    pages += 1;
  }
  assert.equal(ids.size, 11_252);
  assert.equal(pages, Math.ceil(11_252 / 999));
  assert.equal((await ask(path)).body.error.code, 'Request_UnsupportedQuery', 'the cast needs ConsistencyLevel');
  const tooMany = await ask(`users/${people.adam.oid}/transitiveMemberOf?$top=1000`);
  assert.equal(tooMany.status, 400);
});

test('without the cast, roles and administrative units are in the list; a full page points to an empty one', async () => {
  const { body } = await ask(`users/${people.adam.oid}/transitiveMemberOf?$top=3`);
  const types = body.value.map((item: Body) => item['@odata.type']);
  assert.deepEqual(
    types,
    ['directoryRole', 'administrativeUnit', 'group'].map(type => `#microsoft.graph.${type}`),
  );
  const last = await ask(body['@odata.nextLink']);
  assert.deepEqual([last.body.value, last.body['@odata.nextLink']], [[], undefined]);
});

test('directory roles are listed', async () => {
  const { body } = await ask('directoryRoles?$select=id');
  assert.deepEqual(
    body.value.map((role: Body) => role.id),
    Object.values(directoryRoles).map(({ id }) => id),
  );
});

test('tokens are looked at: for Graph, and with the permissions', async () => {
  const path = `users/${people.olivia.oid}/getMemberGroups`;
  const body = { securityEnabledOnly: true };
  const code = async (token: string) => {
    const answer = await ask(path, { token, body });
    return [answer.status, answer.body.error?.code];
  };
  assert.deepEqual(await code('nonsense'), [401, 'InvalidAuthenticationToken']);
  const forBackstage = tenant.mintAccessToken(workloads.groupReader);
  assert.deepEqual(await code(forBackstage), [401, 'InvalidAuthenticationToken']);
  const tampered = mintGraphToken(tenant, workloads.groupReader, 3600).slice(0, -8) + 'AAAAAAAA';
  assert.deepEqual(await code(tampered), [401, 'InvalidAuthenticationToken']);
  assert.deepEqual(await code(mintGraphToken(tenant, workloads.groupReader, -1)), [401, 'InvalidAuthenticationToken']);
  assert.deepEqual(await code(mintGraphToken(tenant, workloads.scanner, 3600)), [403, 'Authorization_RequestDenied']);
  const half: Workload = { ...workloads.groupReader, graphRoles: ['GroupMember.Read.All'] };
  assert.deepEqual(await code(mintGraphToken(tenant, half, 3600)), [403, 'Authorization_RequestDenied']);
});

test('whoever may read basic properties of people may not follow their accounts', async () => {
  const asked = [people.olivia.oid, people.dana.oid].map(id => `id eq '${id}'`).join(' or ');
  const path = `users/delta?$select=accountEnabled&$filter=${encodeURIComponent(asked)}`;
  const answer = (...graphRoles: string[]) =>
    ask(path, { token: mintGraphToken(tenant, { ...workloads.groupReader, graphRoles }, 3600) });
  for (const roles of [['User.ReadBasic.All'], ['User.ReadBasic.All', 'GroupMember.Read.All', 'Member.Read.Hidden']]) {
    const { status, body } = await answer(...roles);
    assert.deepEqual([status, body.error?.code], [403, 'Authorization_RequestDenied'], roles.join());
  }
  const { status, body } = await answer('User.Read.All');
  assert.equal(status, 200);
  assert.deepEqual(body.value.map(({ id }: Body) => id).sort(), [people.olivia.oid, people.dana.oid].sort());
  assert.match(body['@odata.deltaLink'], /users\/delta/);
});

test('the token endpoint and the managed identity give tokens for Graph', async () => {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: workloads.groupReader.clientId,
    client_secret: workloads.groupReader.secret,
    scope: `${graphBase(tenant)}/.default`,
  });
  const granted = await fetch(`${tenant.home.base}/oauth2/v2.0/token`, { method: 'POST', body: form });
  const { access_token: byService } = (await granted.json()) as Body;
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = managedIdentityEnvironment(tenant);
  const identity = async (query: string, header = IDENTITY_HEADER) => {
    const headers = { 'x-identity-header': header };
    const response = await fetch(`${IDENTITY_ENDPOINT}?${query}`, { headers });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const query = `resource=${graphBase(tenant)}&api-version=2019-08-01`;
  const { body } = await identity(`${query}&client_id=${managedIdentity.clientId}`);
  assert.match(body.expires_on, /^\d+$/);
  for (const token of [byService, body.access_token]) {
    const path = `users/${people.olivia.oid}/getMemberGroups`;
    assert.equal((await ask(path, { token, body: { securityEnabledOnly: true } })).status, 200);
  }
  assert.equal((await identity(query, 'guessed')).status, 401);
  assert.equal((await identity(`${query}&client_id=${people.adam.oid}`)).status, 400);
  assert.equal((await identity('api-version=2019-08-01&resource=x')).status, 400);
});

/** Of the person with 11,252 groups, as only pages bend */
async function faulty(fault: Faults['graph'], path = 'transitiveMemberOf') {
  tenant.faults.graph = fault;
  return ask(`users/${people.maxine.oid}/${path}`);
}

test('throttling says how long to wait, or does not', async () => {
  const told = await faulty('throttled');
  assert.deepEqual([told.status, told.headers.get('retry-after'), told.body.error.code], [429, '1', 'TooManyRequests']);
  const silent = await faulty('throttledSilently');
  assert.deepEqual([silent.status, silent.headers.get('retry-after')], [429, null]);
});

test('pages lead astray', async () => {
  const foreign = await faulty('foreignNextLink');
  assert.equal(new URL(foreign.body['@odata.nextLink']).hostname, 'localhost');
  const endless = await faulty('endlessPages');
  const again = await ask(endless.body['@odata.nextLink']);
  assert.deepEqual(again.body, endless.body);
});

test('names stand where ids belong, or nobody is there', async () => {
  tenant.faults.graph = 'names';
  assert.deepEqual((await memberGroups(people.dana.oid)).body.value, ['search-engineers']);
  assert.equal((await faulty('notThere')).status, 404);
});

test('answers break off', async () => {
  await assert.rejects(faulty('resetMidBody'));
  await assert.rejects(faulty('malformed'), SyntaxError);
});

test('applications: the registration as it is now, what it may do, and which groups there are', async () => {
  const { groupReader } = tenant.registrations;
  const filter = (text: string) => `$filter=${encodeURIComponent(text)}`;
  const byId = filter(`appId eq '${groupReader.appId}'`);
  const { body } = await ask(`applications?${byId}`);
  assert.equal(body.value.length, 1);
  const [secret] = body.value[0].passwordCredentials;
  assert.deepEqual([secret.hint, secret.secretText], ['sim', null], 'a secret is never shown again');
  assert.deepEqual((await ask(`applications?${filter(`appId eq '${people.olivia.oid}'`)}`)).body.value, []);
  assert.equal((await ask('applications')).status, 400);

  const [own] = (await ask(`servicePrincipals?${byId}`)).body.value;
  assert.equal(own.id, workloads.groupReader.oid);
  const [microsoft] = (await ask(`servicePrincipals?${filter(`appId eq '${MICROSOFT_GRAPH_ID}'`)}`)).body.value;
  const assigned = (await ask(`servicePrincipals/${own.id}/appRoleAssignments`)).body.value;
  const names = assigned.map(({ appRoleId, resourceId }: Body) => {
    assert.equal(resourceId, microsoft.id);
    return microsoft.appRoles.find(({ id }: Body) => id === appRoleId).value;
  });
  assert.deepEqual(names, groupReader.graphRoles);
  assert.equal((await ask(`servicePrincipals/${people.olivia.oid}/appRoleAssignedTo`)).status, 404);

  const here = await ask(`groups?${filter(`id in ('${groups.payments.id}','${groups.fabrikamStaff.id}')`)}`);
  assert.deepEqual(here.body.value, [{ id: groups.payments.id }], 'not those of another tenant');
  const sixteen = Array(16).fill(`'${groups.payments.id}'`).join(',');
  assert.equal((await ask(`groups?${filter(`id in (${sixteen})`)}`)).status, 400);
});
