import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Entity } from '@backstage/catalog-model';
import { workloads } from '../../dev/tenant/applications';
import { agents, people } from '../../dev/tenant/people';
import { configurationOf, recordOf, TEMPLATE } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore, type Principal } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { entityRefOf, Identities, USER_ID_ANNOTATION } from './identity';

const TENANT = recordOf().tenantId;
const FOREIGN = 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2';
const { olivia, dana, greg } = people;

type Query = { filter: Array<Record<string, string>>; limit: number; fields: string[] };

let logger: RecordingLogger;
let entities: Entity[];
let asked: Query[];
let answer: () => Promise<{ items: Entity[] }>;
beforeEach(() => {
  logger = new RecordingLogger();
  entities = [];
  asked = [];
  answer = async () => ({ items: entities });
});

/** A catalog of which only the answer counts; what is asked is looked at */
function identities(section: object = {}): Identities {
  const configuration = { ...JSON.parse(configurationOf({ authority: 'http://127.0.0.1:1', tenantId: TENANT })) };
  const core = new EntraCore({ configuration: JSON.stringify({ ...configuration, ...section }), logger });
  const credentials = { $$type: '@backstage/BackstageCredentials', principal: { type: 'service' } } as never;
  return new Identities({
    entraAccess: { core } as unknown as EntraAccess,
    auth: { getOwnServiceCredentials: async () => credentials },
    catalog: {
      getEntities: async (query, options) => {
        assert.equal(options.credentials, credentials);
        asked.push(query as unknown as Query);
        return answer();
      },
    },
    logger,
  });
}

function user(name: string, userId?: unknown, location = 'msgraph:default/x', origin = location): Entity {
  const annotations: Record<string, unknown> = {
    'backstage.io/managed-by-location': location,
    'backstage.io/managed-by-origin-location': origin,
    ...(userId === undefined ? {} : { [USER_ID_ANNOTATION]: userId }),
  };
  const metadata = { name, namespace: 'default', annotations } as Entity['metadata'];
  return { apiVersion: 'backstage.io/v1beta1', kind: 'User', metadata };
}

const person = (change: Partial<Principal> = {}) => recordOf({ objectId: olivia.oid, ...change });
const MADE = `user:default/${olivia.oid}`;

test('whoever has a User entity with their object id is that User', async () => {
  for (const id of [olivia.oid, olivia.oid.toUpperCase()]) {
    entities = [user('Olivia.Owner', id)];
    assert.equal(await identities().entityRefOf(person()), 'user:default/olivia.owner');
  }
});

test('one bounded question is asked, with credentials of the backend: by object id, and by the ref that would be made', async () => {
  await identities().entityRefOf(person());
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0]?.filter, [
    { kind: 'User', 'metadata.namespace': 'default', 'metadata.name': olivia.oid },
    { kind: 'User', [`metadata.annotations.${USER_ID_ANNOTATION}`]: olivia.oid },
  ]);
  assert.equal(asked[0]?.limit, 500);
  assert.deepEqual(asked[0]?.fields, ['kind', 'metadata.namespace', 'metadata.name', 'metadata.annotations']);
});

test('nothing is remembered: what the catalog says now counts', async () => {
  const asking = identities();
  assert.equal(await asking.entityRefOf(person()), MADE);
  entities = [user('olivia', olivia.oid)];
  assert.equal(await asking.entityRefOf(person()), 'user:default/olivia');
});

test('whoever has none gets the ref that is made of their ids', async () => {
  assert.equal(await identities().entityRefOf(person()), MADE);
  const section = { identity: { entityRef: 'user:{tid}/{oid}' } };
  assert.equal(await identities(section).entityRefOf(person()), `user:${TENANT}/${olivia.oid}`);
  const twice = { identity: { entityRef: 'user:{oid}/{oid}' } };
  assert.equal(await identities(twice).entityRefOf(person()), `user:${olivia.oid}/${olivia.oid}`);
});

test('a User of somebody else with another object id is not theirs, whatever its name', async () => {
  entities = [user('olivia', dana.oid), user('owner')];
  assert.equal(await identities().entityRefOf(person({ name: 'olivia' })), MADE);
});

test('an unbound User with the made ref stays theirs', async () => {
  entities = [user(olivia.oid)];
  assert.equal(await identities().entityRefOf(person()), MADE);
});

test('a User from a place that is not trusted counts for nothing, and is reported once', async () => {
  const place = 'url:https://git.example.com/evil.yaml';
  entities = [user('mallory', olivia.oid, place), user('mallory2', olivia.oid, 'msgraph:default/x', place)];
  const asking = identities();
  for (let round = 0; round < 3; round += 1) assert.equal(await asking.entityRefOf(person()), MADE);
  assert.equal(logger.complaints.length, 2);
  assert.match(
    logger.complaints[0] ?? '',
    /^warn: user:default\/mallory: the annotation .* is ignored, because the entity stands where anybody may write \(if its location/,
  );
});

test('an honest User stands beside any number of liars', async () => {
  entities = [user('mallory', olivia.oid, 'url:https://git.example.com/evil.yaml'), user('olivia', olivia.oid)];
  assert.equal(await identities().entityRefOf(person()), 'user:default/olivia');
});

test('a made ref is not taken away by an entity from a place that is not trusted', async () => {
  entities = [user(olivia.oid, dana.oid, 'url:https://git.example.com/evil.yaml')];
  assert.equal(await identities().entityRefOf(person()), MADE);
});

test('two trusted Users with one object id are never merged', async () => {
  entities = [user('olivia', olivia.oid), user('olivia2', olivia.oid)];
  await assert.rejects(identities().entityRefOf(person()), {
    name: 'ConflictError',
    code: 'principal_conflict',
    message: /user:default\/olivia and user:default\/olivia2 have one object id; remove graph.microsoft.com\/user-id/,
  });
});

test('a made ref that is the User of another object id is refused', async () => {
  for (const other of [dana.oid, 'not-an-id', '']) {
    entities = [user(olivia.oid, other)];
    await assert.rejects(identities().entityRefOf(person()), { name: 'ConflictError', code: 'principal_conflict' });
  }
});

test('a guest has an object id of its own, and matches nothing by address or name', async () => {
  entities = [user('greg', people.adam.oid), user('greg_fabrikam.example', olivia.oid)];
  const guest = recordOf({ objectId: greg.oid, name: 'greg@fabrikam.example' });
  assert.equal(await identities().entityRefOf(guest), `user:default/${greg.oid}`);
  entities = [user('greg', greg.oid)];
  assert.equal(await identities().entityRefOf(guest), 'user:default/greg');
});

test('people of a tenant that the catalog has no users from are not looked up, even with the same object id', async () => {
  const tenants = [
    { tenantId: TENANT, cloud: 'lab', audiences: ['api://backstage'], catalogUsers: true },
    { tenantId: FOREIGN, cloud: 'lab', audiences: ['api://backstage'] },
  ];
  entities = [user('olivia', olivia.oid)];
  assert.equal(await identities({ tenants }).entityRefOf(person()), 'user:default/olivia');
  const stranger = person({ tenantId: FOREIGN });
  assert.equal(await identities({ tenants }).entityRefOf(stranger), `user:${FOREIGN}/${olivia.oid}`);
  assert.equal(asked.at(-1)?.filter.length, 1, 'only the made ref is asked for');
  // Unless an entity of that ref is bound: then it is somebody of the home tenant.
  const taken = user(olivia.oid, olivia.oid);
  taken.metadata.namespace = FOREIGN;
  entities = [taken];
  await assert.rejects(identities({ tenants }).entityRefOf(stranger), { code: 'principal_conflict' });
});

test('with several tenants nobody is looked up until one is marked', async () => {
  const tenants = [TENANT, FOREIGN].map(tenantId => ({ tenantId, cloud: 'lab', audiences: ['api://backstage'] }));
  entities = [user('olivia', olivia.oid)];
  assert.equal(await identities({ tenants }).entityRefOf(person()), `user:${TENANT}/${olivia.oid}`);
  assert.equal(asked.length, 0);
});

for (const [name, principal] of [
  ['a workload', recordOf({ kind: 'workload', objectId: workloads.scanner.oid })],
  ['an agent', person({ kind: 'agent', actor: { clientId: agents.onBehalfOfOlivia.identity.clientId } })],
] as const) {
  test(`${name} is never a User of the catalog`, async () => {
    entities = [user('olivia', principal.objectId)];
    const made = entityRefOf(principal, TEMPLATE);
    assert.equal(await identities().entityRefOf(principal), made);
    assert.equal(asked[0]?.filter.length, 1, 'not asked for by object id');
    const [, namespace = '', id = ''] = /^user:(.+)\/(.+)$/.exec(made) ?? [];
    const taken = user(id, principal.objectId);
    taken.metadata.namespace = namespace;
    entities = [taken];
    await assert.rejects(identities().entityRefOf(principal), { code: 'principal_conflict' });
  });
}

test('an agent has a ref of its own, other than that of the person and of their User', async () => {
  const agent = person({ kind: 'agent', actor: { clientId: agents.onBehalfOfOlivia.identity.clientId } });
  entities = [user('olivia', olivia.oid)];
  assert.notEqual(await identities().entityRefOf(agent), await identities().entityRefOf(person()));
});

test('without users of the catalog it is not asked', async () => {
  answer = () => Promise.reject(new Error('away'));
  assert.equal(await identities({ identity: { catalogUsers: false } }).entityRefOf(person()), MADE);
  assert.equal(asked.length, 0);
});

test('without the catalog nobody gets a ref, as it might be another one tomorrow', async () => {
  answer = () => Promise.reject(new Error('connect ECONNREFUSED https://secret.example'));
  await assert.rejects(identities().entityRefOf(person()), (error: Error & { code?: string }) => {
    assert.equal(error.name, 'ServiceUnavailableError');
    assert.equal(error.code, 'identity_unavailable');
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test('a catalog that does not answer keeps nobody waiting for ever', async context => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  answer = () => new Promise(() => undefined);
  const refused = assert.rejects(identities().entityRefOf(person()), { code: 'identity_unavailable' });
  await new Promise(resolve => setImmediate(resolve));
  context.mock.timers.tick(5_000);
  await refused;
});

test('a crowd with one object id is refused rather than read in part', async () => {
  entities = Array.from({ length: 500 }, (_, at) => user(`liar-${at}`, olivia.oid, 'url:https://git.example.com/x'));
  await assert.rejects(identities().entityRefOf(person()), { code: 'identity_unavailable' });
});

test('an annotation that is no text is nobody, and keeps the ref that it stands at', async () => {
  entities = [user('olivia', 7)];
  assert.equal(await identities().entityRefOf(person()), MADE);
  entities = [user(olivia.oid, 7)];
  await assert.rejects(identities().entityRefOf(person()), { code: 'principal_conflict' });
});
