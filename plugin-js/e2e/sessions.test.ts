/** Sign-ins that outlive the process and hold on every replica; who a person is in the catalog: over HTTP, in real processes */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groups, people, type User } from '../dev/tenant/people';
import { SERVICE_TOKEN } from './support/company';
import { startCompany, until, untilFilled, type Replica } from './support/replicas';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';

const REFRESH = 'catalog.entity.refresh';
const TYPE = { resourceType: 'catalog-entity' };
const USER_ID = 'graph.microsoft.com/user-id';

const entity = (kind: string, name: string, spec: object, annotations?: Record<string, string>) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind,
  metadata: { name, ...(annotations ? { annotations } : {}) },
  spec,
});
const user = (name: string, id: string) => entity('User', name, { memberOf: [] }, { [USER_ID]: id });
const component = (name: string, owner: string) =>
  entity('Component', name, { type: 'service', lifecycle: 'production', owner });

const NAMED = {
  'org.yaml': [
    entity('Group', 'payments', { type: 'team', children: [] }, { 'graph.microsoft.com/group-id': groups.payments.id }),
    user('rita.reader', people.rita.oid),
    // Two entities with one object id.
    user('greg', people.greg.oid),
    user('greg-again', people.greg.oid),
    // Stands at the ref that would be made for somebody else.
    user(people.otto.oid, people.rita.oid.replace(/^0/, 'f')),
  ],
  'services.yaml': [
    component('payments-api', 'group:default/payments'),
    component('notes', 'user:default/rita.reader'),
    component('loot', 'user:default/dana'),
    component('search-api', 'group:default/search'),
    // What this names is read as well, and anybody who may write there may lie.
    entity('Location', 'elsewhere', { targets: ['./hostile.yaml'] }),
  ],
};
/** Claims the object id of somebody who has no User entity */
const POINTED_TO = { 'hostile.yaml': [user('dana', people.dana.oid), user('rita-too', people.rita.oid)] };
const FILLED = { component: 4, user: 6, group: 1 };

type Company = Awaited<ReturnType<typeof startCompany>>;

let postgres: Postgres | undefined;

/** What a company with several replicas has; without a server here, files that both processes open */
function database(name: string, directory: string): object {
  if (postgres) return { client: 'pg', connection: postgres.connection };
  // The catalog of each is its own: two processes that process entities in one file would only wait for each other.
  const catalog = { connection: { filename: `catalog-${name}.sqlite` } };
  return { client: 'better-sqlite3', connection: { directory }, plugin: { catalog } };
}

let company: Company;
let one: Replica;
let two: Replica;
before(async () => {
  if (!WITHOUT_POSTGRES) postgres = await startPostgres();
  company = await startCompany({ database, named: NAMED, pointedTo: POINTED_TO });
  try {
    // One after the other: both make tables.
    one = await company.replica('one');
    two = await company.replica('two');
    await untilReady(one);
    await untilReady(two);
  } catch (error) {
    await stop();
    throw error;
  }
});
after(() => stop());

async function stop(): Promise<void> {
  await company?.stop();
  await postgres?.stop();
}
/** Until a replica has read the catalog, and its core knows the owners in it */
async function untilReady(replica: Replica): Promise<void> {
  await untilFilled(replica, company.tenant, FILLED);
  await until('the owners are known', async () => {
    assert.deepEqual(await seen(replica, await signIn(replica, people.rita, [])), ['notes']);
    assert.deepEqual(await seen(replica, await signIn(replica, people.olivia)), ['payments-api']);
  });
}

const signIn = (replica: Replica, person: User, groupIds?: string[]) =>
  replica.client.tokenFor(company.tenant.mintAccessToken(person, groupIds ? { claims: { groups: groupIds } } : {}));
const seen = async ({ client }: Replica, token: string) => {
  const query = '/api/catalog/entities/by-query?filter=kind=component&fields=metadata.name';
  const { status, body } = await client.call(query, token);
  assert.equal(status, 200, JSON.stringify(body));
  return (body.items as Array<{ metadata: { name: string } }>).map(({ metadata }) => metadata.name).sort();
};
const may = async ({ client }: Replica, token: string, service: string) => {
  const permission = {
    type: 'resource',
    name: REFRESH,
    attributes: { action: 'update' },
    resourceType: 'catalog-entity',
  };
  const items = [{ id: '1', permission, resourceRef: `component:default/${service}` }];
  const { status, body } = await client.call('/api/permission/authorize', token, { items });
  assert.equal(status, 200, JSON.stringify(body));
  return body.items[0].result as string;
};
const whoami = async ({ client }: Replica, token: string) =>
  (await client.call('/api/entra-access/v1/whoami', token)).body;

test('a token of one replica gets the same answers on the other', async () => {
  const token = await signIn(one, people.olivia);
  for (const replica of [two, one]) {
    assert.deepEqual(await seen(replica, token), ['payments-api']);
    assert.equal(await may(replica, token, 'payments-api'), 'ALLOW');
    assert.equal(await may(replica, token, 'search-api'), 'DENY');
    const { entityRef, kind, groups: known, owners } = await whoami(replica, token);
    assert.deepEqual(
      { entityRef, kind, state: known.state, owners },
      {
        entityRef: `user:default/${people.olivia.oid}`,
        kind: 'user',
        state: 'known',
        owners: ['group:default/payments', `user:default/${people.olivia.oid}`],
      },
    );
  }
});

test('a newer sign-in with fewer groups holds on the other replica, too', async () => {
  const token = await signIn(one, people.olivia);
  assert.deepEqual(await seen(two, token), ['payments-api']);
  await signIn(one, people.olivia, []);
  assert.deepEqual(await seen(one, token), [], 'here at once');
  await until('the other replica has seen it', async () => assert.deepEqual(await seen(two, token), []));
  assert.equal(await may(two, token, 'payments-api'), 'DENY');
});

test('numbers mean the same on both: what one decided by is answered by the other, and nothing newer than it has', async () => {
  const epochOf = async ({ client }: Replica) => {
    const adam = await client.tokenFor(company.tenant.mintAccessToken(people.adam));
    return (await client.call('/api/entra-access/v1/status', adam)).body.directory.epoch as number;
  };
  await until('both have the same directory', async () => assert.equal(await epochOf(one), await epochOf(two)));
  const principal = `user:default/${people.olivia.oid}`;
  const token = await signIn(one, people.olivia);
  await until('both know her', async () => assert.deepEqual(await seen(two, token), ['payments-api']));
  const apply = async ({ client }: Replica, epoch: number, session: number) => {
    const conditions = { rule: 'IS_OWNED_BY_PRINCIPAL', ...TYPE, params: { principal, epoch, session } };
    const item = { id: '1', resourceRef: 'component:default/payments-api', ...TYPE, conditions };
    const path = '/api/catalog/.well-known/backstage/permissions/apply-conditions';
    const { status, body } = await client.call(path, SERVICE_TOKEN, { items: [item] });
    assert.equal(status, 200, JSON.stringify(body));
    return body.items[0].result as string;
  };
  const epoch = await epochOf(one);
  assert.ok(epoch > 0);
  for (const replica of [one, two]) {
    assert.equal(await apply(replica, epoch, 1), 'ALLOW');
    assert.equal(await apply(replica, epoch + 1, 1), 'DENY');
    assert.equal(await apply(replica, epoch, 1_000_000), 'DENY');
  }
});

test('a restart takes nothing away', async () => {
  const token = await signIn(one, people.olivia);
  await one.stop();
  one = await company.replica('one');
  await untilReady(one);
  assert.deepEqual(await seen(one, token), ['payments-api']);
  assert.equal(await may(one, token, 'payments-api'), 'ALLOW');
  assert.equal(await may(one, token, 'search-api'), 'DENY');
});

test('who has a User entity is that User, and owns what it owns', async () => {
  const token = await signIn(two, people.rita, []);
  for (const replica of [one, two]) {
    assert.equal((await whoami(replica, token)).entityRef, 'user:default/rita.reader');
    assert.deepEqual(await seen(replica, token), ['notes']);
    assert.equal(await may(replica, token, 'notes'), 'ALLOW');
    assert.equal(await may(replica, token, 'loot'), 'DENY');
  }
});

test('a User entity from a place where anybody may write is nobody, and reported', async () => {
  const token = await signIn(one, people.dana, []);
  assert.equal((await whoami(one, token)).entityRef, `user:default/${people.dana.oid}`);
  assert.deepEqual(await seen(one, token), []);
  assert.match(one.output(), /user:default\/dana: the annotation graph.microsoft.com\/user-id is ignored/);
});

test('two User entities with one object id, and a made ref that is somebody else, are refused', async () => {
  for (const person of [people.greg, people.otto]) {
    const { status, body } = await one.client.signIn(company.tenant.mintAccessToken(person));
    assert.deepEqual([status, body.error.code], [409, 'principal_conflict'], JSON.stringify(body));
  }
});
