/** Microsoft Graph followed by two replicas with one database: over HTTP, in real processes */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RememberingClient } from './support/company';
import { followingSections } from './support/follow';
import { groups, people } from '../dev/tenant/people';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, until, type Replica } from './support/replicas';

const STATUS = '/api/entra-access/v1/status';
const NOTIFICATIONS = '/api/entra-access/v1/notifications';

const TEAM = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Group',
  metadata: { name: 'payments', annotations: { 'graph.microsoft.com/group-id': groups.payments.id } },
  spec: { type: 'team', children: [] },
};

type Company = Awaited<ReturnType<typeof startCompany>>;

let postgres: Postgres | undefined;
let company: Company;
let one: Replica;
let two: Replica;

/** Without a server here, files that both processes open */
function database(name: string, directory: string): object {
  if (postgres) return { client: 'pg', connection: postgres.connection };
  const catalog = { connection: { filename: `catalog-${name}.sqlite` } };
  return { client: 'better-sqlite3', connection: { directory }, plugin: { catalog } };
}

before(async () => {
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
  company = await startCompany({
    database,
    named: { 'org.yaml': [TEAM] },
    pointedTo: {},
    // Only a notification brings anything in time: the next poll is an hour away.
    entraAccess: (tenant, baseUrl) => followingSections(tenant, baseUrl, 3600),
  });
  one = await company.replica('one');
  two = await company.replica('two');
  await until('both replicas follow', async () => {
    for (const replica of [one, two]) assert.deepEqual((await statusOf(replica)).feeds.map(stateOf), FOLLOWING);
  });
});
after(async () => {
  await company.stop();
  await postgres?.stop();
});

const FOLLOWING = ['users following', 'groups following'];
const stateOf = ({ feed, state }: { feed: string; state: string }) => `${feed} ${state}`;

/** What Adam reads of the tenant that is followed, as long as he is an administrator */
async function statusOf({ client }: Replica) {
  const token = await client.tokenFor(company.tenant.mintAccessToken(people.adam));
  const { status, body } = await client.call(STATUS, token);
  assert.equal(status, 200, JSON.stringify(body));
  return body.follow[0];
}

test('subscriptions for accounts and for the groups that access hangs on, each after a handshake', async () => {
  await until('they are made', async () => {
    const resources = [...company.tenant.subscriptions.values()].map(({ resource }) => resource).sort();
    const members = [groups.payments, groups.paymentsEngineers, groups.paymentsOnCall, groups.platformAdmins];
    assert.deepEqual(resources, [...members.map(({ id }) => `/groups/${id}/members`), '/users'].sort());
  });
});

test('what an administrator may do ends on both replicas with the group, and begins again', async () => {
  const { tenant } = company;
  const tokens = await Promise.all(
    [one, two].map(({ client }) => client.tokenFor(tenant.mintAccessToken(people.adam))),
  );
  const statuses = () =>
    Promise.all([one, two].map(async ({ client }, at) => (await client.call(STATUS, tokens[at])).status));
  assert.deepEqual(await statuses(), [200, 200]);
  tenant.directory.removeMember(groups.platformAdmins.id, people.adam.oid);
  await until('refused on both', async () => assert.deepEqual(await statuses(), [403, 403]));
  tenant.directory.addMember(groups.platformAdmins.id, people.adam.oid);
  await until('allowed on both', async () => assert.deepEqual(await statuses(), [200, 200]));
  const { notifications, complete, lagSeconds } = await statusOf(one);
  const elsewhere = (await statusOf(two)).notifications;
  assert.equal(notifications.taken + elsewhere.taken >= 2, true, 'one of the replicas was told');
  assert.equal(complete, true);
  assert.equal(lagSeconds, 0);
});

test('forged notifications are answered like others and bring nothing about', async () => {
  const asked = () => company.tenant.requests['graph.users.delta'];
  const before = asked();
  const [subscription] = company.tenant.subscriptions.values();
  const forged = { subscriptionId: subscription?.id, tenantId: company.tenant.tenantId, clientState: 'guessed' };
  const unknown = { ...forged, subscriptionId: 'b1e7a5c8-0000-4000-8000-000000000000' };
  const refusals = (await statusOf(one)).notifications.refused;
  for (const value of [[forged], [unknown], [{ ...forged, clientState: '' }]]) {
    const { status, body } = await one.client.call(NOTIFICATIONS, undefined, { value });
    assert.deepEqual([status, body], [202, '']);
  }
  await until('they are counted', async () => {
    assert.equal((await statusOf(one)).notifications.refused, refusals + 3);
  });
  assert.equal(asked(), before);
  assert.equal((await one.client.call(NOTIFICATIONS, undefined, { value: 'x' })).status, 400);
  assert.equal((await one.client.call(NOTIFICATIONS, undefined, { value: Array(1001).fill(forged) })).status, 400);
});

test('a handshake is answered as plain text, and nothing that could be more than that', async () => {
  const ask = async (token: string) => {
    const url = `${one.client.base}${NOTIFICATIONS}?validationToken=${encodeURIComponent(token)}`;
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' } });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  const token = 'Validation: Testing client application reachability for subscription Request-Id: 1f2e';
  assert.deepEqual(await ask(token), { status: 200, type: 'text/plain; charset=utf-8', text: token });
  const hostile = await ask('<script>alert(1)</script>');
  assert.equal(hostile.status, 400);
  assert.doesNotMatch(hostile.text, /</);
});

test('notifications are answered as the document says, with a token and without, and nothing else is', async () => {
  // Holds each answer against the document.
  const client = new RememberingClient({ backendUrl: one.client.base });
  const tokens = [undefined, await one.client.tokenFor(company.tenant.mintAccessToken(people.adam))];
  for (const token of tokens) {
    const send = async (init: { method?: string; body?: string; type?: string }, query = '') => {
      const headers = { 'content-type': init.type ?? 'application/json' };
      const authorization = token && { authorization: `Bearer ${token}` };
      return client.raw(`${NOTIFICATIONS}${query}`, {
        method: init.method ?? 'POST',
        headers: { ...headers, ...authorization },
        body: init.body,
      });
    };
    const secret = 'x'.repeat(64);
    const body = JSON.stringify({ value: [{ subscriptionId: 'x', clientState: secret, changeType: 'updated' }] });
    for (const [status, answer] of [
      [200, await send({}, '?validationToken=ours')],
      [400, await send({}, '?validationToken=%3Cb%3E')],
      [400, await send({}, '?validationToken=a&validationToken=b')],
      [202, await send({ body })],
      [400, await send({ body: body.slice(0, -1) })],
      [400, await send({ body: 'null' })],
      [400, await send({ body: JSON.stringify({ value: [{ subscriptionId: 'x', clientState: [secret] }] }) })],
      [400, await send({ body, type: 'text/plain' })],
      [400, await send({})],
      [413, await send({ body: JSON.stringify({ value: [], more: secret.repeat(5_000) }) })],
      [415, await send({ body, type: 'application/json; charset=iso-8859-1' })],
    ] as const) {
      assert.equal(answer.status, status, answer.text);
      if (status < 400) continue;
      assert.equal(JSON.parse(answer.text).error.code, 'request_invalid');
      assert.ok(!answer.text.includes(secret), answer.text);
    }
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const { status, text } = await send({ method });
      assert.deepEqual([status, JSON.parse(text).error.code], [405, 'method_not_allowed'], text);
    }
  }
});

test('a replica that comes later has what the others have, without Microsoft Graph', async () => {
  company.tenant.faults.graph = 'unavailable';
  try {
    const three = await company.replica('three');
    await until('it is complete', async () => {
      const { complete, feeds } = await statusOf(three);
      assert.deepEqual([complete, feeds.map(stateOf)], [true, FOLLOWING]);
    });
    await three.stop();
  } finally {
    company.tenant.faults.graph = undefined;
  }
});
