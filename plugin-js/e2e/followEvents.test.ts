/** Two replicas on PostgreSQL with Backstage's events backend: what one has written down, the other is told */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { groups, people } from '../dev/tenant/people';
import { SERVICE_TOKEN } from './support/company';
import { followingSections } from './support/follow';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, until, type Replica } from './support/replicas';

const skip = WITHOUT_POSTGRES;
const STATUS = '/api/entra-access/v1/status';
const SUBSCRIPTION = '/api/events/bus/v1/subscriptions/a-listener';

let postgres: Postgres;
let company: Awaited<ReturnType<typeof startCompany>>;
let replicas: Replica[];

before(async () => {
  if (skip) return;
  postgres = await startPostgres();
  company = await startCompany({
    script: join(__dirname, 'support', 'eventsBackend.ts'),
    database: () => ({ client: 'pg', connection: postgres.connection }),
    named: {},
    pointedTo: {},
    entraAccess: (tenant, baseUrl) => followingSections(tenant, baseUrl, 3600),
  });
  replicas = [await company.replica('one'), await company.replica('two')];
});
after(async () => {
  // Whoever listens to the bus holds a connection for up to a minute, for which an orderly stop waits.
  for (const replica of replicas ?? []) await replica.kill();
  await company?.stop();
  await postgres?.stop();
});

const adam = () => company.tenant.mintAccessToken(people.adam);

/** What Backstage's own bus answers a service at a replica */
async function bus({ client }: Replica, method: 'GET' | 'PUT', path: string, body?: object): Promise<any> {
  const headers = { authorization: `Bearer ${SERVICE_TOKEN}`, 'content-type': 'application/json' };
  // Whoever finds nothing is kept waiting for a minute.
  const signal = AbortSignal.timeout(2_000);
  const response = await fetch(`${client.base}${path}`, {
    method,
    headers,
    signal,
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${response.status} ${path}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

test('what one replica has written down is told to all by the events backend, and holds on all', { skip }, async () => {
  const [, two] = replicas as [Replica, Replica];
  await until('both follow', async () => {
    for (const { client } of replicas) {
      const { body } = await client.call(STATUS, await client.tokenFor(adam()));
      assert.equal(body.follow?.[0]?.complete, true, JSON.stringify(body));
    }
  });
  await until('somebody is subscribed', async () => assert.ok(company.tenant.subscriptions.size > 0));
  await bus(two, 'PUT', SUBSCRIPTION, { topics: ['entra-access.followed'] });
  const tokens = await Promise.all(replicas.map(({ client }) => client.tokenFor(adam())));
  const statuses = () =>
    Promise.all(replicas.map(async ({ client }, at) => (await client.call(STATUS, tokens[at])).status));
  assert.deepEqual(await statuses(), [200, 200]);

  company.tenant.directory.removeMember(groups.platformAdmins.id, people.adam.oid);
  await until('refused on both', async () => assert.deepEqual(await statuses(), [403, 403]));

  let told: Array<{ topic: string; payload: unknown }> = [];
  await until('the bus has the event', async () => {
    told = (await bus(two, 'GET', `${SUBSCRIPTION}/events`))?.events ?? [];
    assert.ok(told.length > 0);
  });
  // The tenant and nothing else: whoever may listen learns nothing about anybody.
  for (const event of told)
    assert.deepEqual(event, { topic: 'entra-access.followed', payload: { tenant: company.tenant.tenantId } });
  for (const replica of replicas) assert.doesNotMatch(replica.output(), /events backend not found/);
});
