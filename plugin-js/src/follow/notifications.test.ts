/** Change notifications: who is heard, how often Graph is asked because of them, and how subscriptions live */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, mock, test } from 'node:test';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { groups, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { databaseOf } from '../../e2e/support/databases';
import { DIRECTORY_READER, followed } from '../../e2e/support/follow';
import { graphOf } from '../../e2e/support/graph';
import { RecordingLogger } from '../../e2e/support/logger';
import { createCredential } from '../graph/credential';
import { GraphClient } from '../graph/graphClient';
import { GRAPH_LIMITS } from '../graph/limits';
import { ROUTES } from '../openapi/routes';
import { Hints } from './hints';
import { Notifications } from './notifications';
import { Subscriber } from './subscriber';
import { digestOf, SubscriptionStore, type Subscription } from './subscriptionStore';

const { path: PATH } = ROUTES.receiveNotifications;
const DAY_MS = 24 * 3600_000;
const SUBSCRIPTION: Subscription = {
  id: 'd5e1b0a7-0000-4000-8000-000000000001',
  tenant: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
  resource: '/users',
  url: 'https://backstage.example.com/n',
  clientState: digestOf('the secret'),
  expiresAt: 0,
};
const { id: subscriptionId, tenant: tenantId } = SUBSCRIPTION;
const GENUINE = { subscriptionId, tenantId, clientState: 'the secret' };

function receiver() {
  const hints: string[] = [];
  const lookups: string[] = [];
  const store = {
    async find(id: string) {
      lookups.push(id);
      return id === subscriptionId ? SUBSCRIPTION : undefined;
    },
  };
  const logger = new RecordingLogger();
  return { hints, lookups, logger, notifications: new Notifications(store, tenant => hints.push(tenant), logger) };
}

test('one that carries the secret of its subscription is a hint; many are one', async () => {
  const { hints, lookups, notifications } = receiver();
  await notifications.receive([GENUINE, GENUINE, { subscriptionId, clientState: 'the secret' }]);
  assert.deepEqual(hints, [tenantId]);
  assert.equal(lookups.length, 1);
  assert.deepEqual(notifications.counts, { taken: 1, refused: 0 });
});

test('whoever lacks the secret, names another tenant or nothing that is known is not heard', async () => {
  const { hints, logger, notifications } = receiver();
  const forged = [
    { ...GENUINE, clientState: 'The secret' },
    { ...GENUINE, clientState: '' },
    { ...GENUINE, clientState: SUBSCRIPTION.clientState },
    { ...GENUINE, tenantId: 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2' },
    { ...GENUINE, subscriptionId: 'unknown' },
  ];
  await notifications.receive(forged);
  assert.deepEqual(hints, []);
  assert.deepEqual(notifications.counts, { taken: 0, refused: forged.length });
  assert.equal(logger.complaints.length, 1, 'said once');
});

test('a flood of made-up subscriptions asks the database a few times', async () => {
  const { lookups, notifications } = receiver();
  const flood = Array.from({ length: 5_000 }, (_, at) => ({ ...GENUINE, subscriptionId: `made-up-${at}` }));
  await notifications.receive(flood);
  // Twenty in a second, and these may lie on both sides of its end.
  assert.equal(lookups.length <= 40, true, `${lookups.length} look-ups`);
  assert.equal(notifications.counts.refused, flood.length);
});

test('a flood of hints is one question at a time, and another one for what came meanwhile', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let asked = 0;
    let answer: () => void = () => undefined;
    const hints = new Hints(() => {
      asked += 1;
      return new Promise<void>(resolve => (answer = resolve));
    });
    const settle = () => new Promise(resolve => setImmediate(resolve));
    for (let at = 0; at < 1_000; at += 1) hints.note();
    mock.timers.tick(1);
    assert.equal(asked, 1);
    for (let at = 0; at < 1_000; at += 1) hints.note();
    mock.timers.tick(60_000);
    assert.equal(asked, 1, 'it is being asked');
    answer();
    await settle();
    mock.timers.tick(1_000);
    assert.equal(asked, 2, 'for what came meanwhile');
    // Graph may not know of it yet, whatever else it has told: twice more, and then no more.
    for (const [ms, expected] of [
      [3_000, 3],
      [10_000, 4],
      [600_000, 4],
    ] as const) {
      answer();
      await settle();
      mock.timers.tick(ms);
      assert.equal(asked, expected);
    }
    hints.close();
  } finally {
    mock.timers.reset();
  }
});

let tenant: Tenant;
let database: Awaited<ReturnType<typeof databaseOf>>;
let server: Server;
let url: string;
/** Whether handshakes are answered as they should be */
let willing: boolean;
before(async () => {
  tenant = await startTenant();
  const { notifications } = receiver();
  const app = express().use((_request, response, next) => (willing ? next() : void response.status(200).send('no')));
  app.post(PATH, (request, response, next) => void notifications.answer(request, response).catch(next));
  server = createServer(app);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
});
beforeEach(async () => {
  willing = true;
  tenant.subscriptions.clear();
  database = await databaseOf('better-sqlite3', ':memory:');
  await followed(tenant, database);
});
afterEach(() => database.close());
after(async () => {
  await new Promise(resolve => server.close(resolve));
  await tenant.close();
});

function subscriber(wanted: string[] | undefined, clock: () => number = Date.now) {
  const graph = graphOf(tenant);
  const client = new GraphClient(graph, createCredential(DIRECTORY_READER, graph), { ...GRAPH_LIMITS, backoffMs: 1 });
  const logger = new RecordingLogger();
  const store = new SubscriptionStore(database.knex);
  const made = new Subscriber({ store, url, tenants: [{ graph, client }], groups: async () => wanted, logger, clock });
  const run = () => made.run(new AbortController().signal);
  return { run, logger, store, error: () => made.errorOf(tenant.tenantId) };
}

const resources = () => [...tenant.subscriptions.values()].map(({ resource }) => resource).sort();
const membersOf = (id: string) => `/groups/${id}/members`;

test('subscriptions are made once, renewed at half of their life, and end with their group', async () => {
  let now = Date.now();
  const wanted = [groups.payments.id, groups.refunds.id];
  const { run, store, logger } = subscriber(wanted, () => now);
  await run();
  assert.deepEqual(resources(), [...wanted.map(membersOf), '/users'].sort());
  const made = tenant.requests['graph.subscriptions.create'];
  await run();
  assert.equal(tenant.requests['graph.subscriptions.create'], made);
  const rows = await store.all(tenant.tenantId);
  for (const { clientState } of tenant.subscriptions.values()) {
    assert.equal(
      rows.some(row => row.clientState === digestOf(clientState ?? '')),
      true,
    );
    assert.equal(JSON.stringify(rows).includes(clientState ?? '?'), false, 'the database has no secret');
  }

  now += 2 * DAY_MS;
  const before = [...tenant.subscriptions.keys()].sort();
  wanted.pop();
  await run();
  assert.deepEqual(resources(), [membersOf(groups.payments.id), '/users'].sort());
  assert.equal(before.filter(id => tenant.subscriptions.has(id)).length, 2, 'the same ones, renewed');
  for (const { expirationDateTime } of tenant.subscriptions.values())
    assert.equal(Date.parse(expirationDateTime) - now > 2 * DAY_MS, true);

  // Graph has forgotten one that was to be renewed.
  const [forgotten = ''] = tenant.subscriptions.keys();
  tenant.subscriptions.delete(forgotten);
  now += 2 * DAY_MS;
  await run();
  assert.deepEqual(resources(), [membersOf(groups.payments.id), '/users'].sort());
  assert.deepEqual(logger.complaints, []);
});

test('whoever does not know yet which groups matter ends no subscription', async () => {
  await subscriber([groups.payments.id]).run();
  const before = [...tenant.subscriptions.keys()].sort();
  const { run, logger } = subscriber(undefined);
  await run();
  assert.deepEqual([...tenant.subscriptions.keys()].sort(), before);
  assert.equal(before.length, 2);
  assert.deepEqual(logger.complaints, []);
});

test('an address that does not answer the handshake is said once, and tried again', async () => {
  willing = false;
  const { run, logger, error } = subscriber([]);
  await run();
  await run();
  assert.deepEqual(resources(), []);
  assert.equal(logger.complaints.length, 1);
  assert.match(error() ?? '', /400 ValidationError/);
  willing = true;
  await run();
  assert.deepEqual(resources(), ['/users']);
  assert.equal(error(), undefined);
});

test('a group that Graph does not take is told, and those behind it have their subscriptions all the same', async () => {
  const { run, logger, error } = subscriber(['0', groups.payments.id]);
  await run();
  await run();
  assert.deepEqual(resources(), [membersOf(groups.payments.id), '/users'].sort());
  assert.match(error() ?? '', /400/);
  assert.equal(logger.complaints.length, 1);
});

test('no more is asked for than Graph grants to an application', async () => {
  const many = Array.from({ length: 150 }, (_, at) => `0f9e0000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`);
  const { run, logger } = subscriber(many);
  await run();
  assert.equal(tenant.subscriptions.size, 95);
  assert.equal(resources().includes('/users'), true);
  assert.deepEqual(logger.complaints, []);
});

test('what is sent reaches the receiver with the secret of its own subscription', async () => {
  const { run, store } = subscriber([]);
  await run();
  const [subscription] = tenant.subscriptions.values();
  const known = await store.find(subscription?.id ?? '');
  const hints: string[] = [];
  const notifications = new Notifications(store, hinted => hints.push(hinted), new RecordingLogger());
  await notifications.receive([
    { subscriptionId: known?.id ?? '', clientState: subscription?.clientState ?? '', tenantId: tenant.tenantId },
  ]);
  assert.deepEqual(hints, [tenant.tenantId]);
  tenant.directory.setEnabled(people.dana.oid, true);
});

test('a database that never answers is not waited for longer than some seconds', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const never = new Promise(() => undefined);
    const query: object = new Proxy({}, { get: (_, name) => (name === 'then' ? never.then.bind(never) : () => query) });
    const store = new SubscriptionStore((() => query) as never);
    const asked = [store.all('t'), store.find('id'), store.put(SUBSCRIPTION), store.remove('id')];
    const answers = Promise.allSettled(asked);
    mock.timers.tick(60_000);
    for (const answer of await answers) {
      assert.equal(answer.status, 'rejected');
      assert.match(String(answer.reason), /database of entra-access does not answer/);
    }
  } finally {
    mock.timers.reset();
  }
});
