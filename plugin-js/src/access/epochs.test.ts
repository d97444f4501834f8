/** Numbers that mean the same on every replica: two of them with one database and one catalog, in one process */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { AuthService } from '@backstage/backend-plugin-api';
import { ANNOTATION_LOCATION, ANNOTATION_ORIGIN_LOCATION, type Entity } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, FROM_ENTRA, POLICY, recordOf } from '../../e2e/support/core';
import { databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { NumbersInMemory } from '../../e2e/support/numbers';
import { createOwnershipRules } from '../catalog/ownershipRules';
import { EntraAccess } from '../service/entraAccess';
import { SessionStore } from '../service/sessionStore';
import { GROUP_ID_ANNOTATION } from '../service/catalogChanges';
import { CatalogDirectory } from './directory';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const OLIVIA = `user:default/${people.olivia.oid}`;
const PAYMENTS = { groups: { state: 'known' as const, ids: [groups.payments.id] } };
const NO_GROUPS = { groups: { state: 'known' as const, ids: [] } };
const OF_PAYMENTS: Entity = {
  apiVersion: 'v1',
  kind: 'Component',
  metadata: { name: 'payments-api' },
  relations: [{ type: 'ownedBy', targetRef: 'group:default/payments' }],
};
const CONFIGURATION = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });

type Database = Awaited<ReturnType<typeof databaseOf>>;
type Replica = Awaited<ReturnType<typeof replica>>;

/** The Entra group that stands for the payments team, and who reads the catalog when */
let payments: string;
let reads: number;
let beforeRead: () => Promise<void>;
let numbers: NumbersInMemory;
let database: Database;
let one: Replica;
let two: Replica;
beforeEach(async () => {
  payments = groups.payments.id;
  reads = 0;
  beforeRead = async () => undefined;
  numbers = new NumbersInMemory();
  database = await databaseOf('better-sqlite3', ':memory:');
  one = await replica();
  two = await replica();
});
afterEach(async () => {
  one.entraAccess.close();
  two.entraAccess.close();
  await database.close();
});

async function replica() {
  const logger = new RecordingLogger();
  const policy = { json: POLICY, place: 'policy' };
  const entraAccess = new EntraAccess({ json: CONFIGURATION, policy }, logger, { storeExpected: true });
  await entraAccess.sessions.attach(
    await SessionStore.open({ ...database.service, getClient: async () => database.knex }),
  );
  const catalog = {
    async *streamEntities() {
      reads += 1;
      const id = payments;
      await beforeRead();
      yield [groupOf(id)];
    },
    getEntityFacets: async () => ({ facets: { 'relations.ownedBy': [{ value: 'group:default/payments', count: 1 }] } }),
  } as unknown as CatalogService;
  const auth = { getOwnServiceCredentials: async () => ({}) } as unknown as AuthService;
  const directory = new CatalogDirectory({ entraAccess, catalog, auth, numbers, logger });
  entraAccess.directory.follow(() => directory.catchUp());
  const [owned, notOwned] = createOwnershipRules(entraAccess);
  return { entraAccess, directory, owned: owned!, notOwned: notOwned!, logger };
}

function groupOf(groupId: string): Entity {
  const { location, origin } = FROM_ENTRA;
  const annotations = {
    [ANNOTATION_LOCATION]: location,
    [ANNOTATION_ORIGIN_LOCATION]: origin,
    [GROUP_ID_ANNOTATION]: groupId,
  };
  return { apiVersion: 'v1', kind: 'Group', metadata: { name: 'payments', annotations }, spec: {} };
}

function signIn(
  { entraAccess }: Replica,
  change: Parameters<typeof recordOf>[0],
  expiresAt = IN_AN_HOUR,
): Promise<void> {
  return entraAccess.sessions.establish(OLIVIA, recordOf({ objectId: people.olivia.oid, ...change }), expiresAt);
}

/** What the permission backend of a replica puts into its conditions */
const decidedBy = ({ entraAccess }: Replica) => ({ principal: OLIVIA, ...entraAccess.versionOf(OLIVIA) });

/** Whether the catalog of a replica takes the entity for owned, for not owned, or answers neither */
function judgedBy({ owned, notOwned }: Replica, params: ReturnType<typeof decidedBy>): string {
  const answers = [owned.apply(OF_PAYMENTS, params), notOwned.apply(OF_PAYMENTS, params)];
  const names = (['owned', 'not owned'] as const).filter((_, at) => answers[at]);
  return names.join(' and ') || 'no answer';
}

/** What was asked for in the background is there */
const settled = () => new Promise(resolve => setTimeout(resolve, 50));

test('replicas that read the same have the same number, whoever reads first', async () => {
  for (const each of [one, two, one, two]) await each.directory.refresh();
  assert.deepEqual(
    [one, two].map(({ entraAccess }) => entraAccess.directory.current),
    [1, 1],
  );
  payments = groups.searchEngineers.id;
  for (const each of [two, one]) await each.directory.refresh();
  assert.deepEqual(
    [one, two].map(({ entraAccess }) => entraAccess.directory.current),
    [2, 2],
  );
});

test('processes that started one after the other agree: numbers do not count what happened in a process', async () => {
  for (let times = 0; times < 3; times += 1) {
    payments = times % 2 ? groups.payments.id : groups.searchEngineers.id;
    await one.directory.refresh();
  }
  payments = groups.payments.id;
  await one.directory.refresh();
  await two.directory.refresh();
  await signIn(one, PAYMENTS);
  await two.entraAccess.sessions.ensure(OLIVIA);
  assert.notEqual(one.entraAccess.core.epoch, two.entraAccess.core.epoch, 'those are numbers of a process');
  assert.deepEqual(decidedBy(one), decidedBy(two));
  assert.equal(judgedBy(two, decidedBy(one)), 'owned');
  assert.equal(judgedBy(one, decidedBy(two)), 'owned');
});

test('a newer directory is not answered for by an older one, and is there for the next request', async () => {
  for (const each of [one, two]) await each.directory.refresh();
  await signIn(one, PAYMENTS);
  await two.entraAccess.sessions.ensure(OLIVIA);
  const old = decidedBy(one);
  assert.equal(judgedBy(two, old), 'owned');

  payments = groups.searchEngineers.id;
  await one.directory.refresh();
  assert.equal(judgedBy(two, old), 'owned', 'decided before the change');
  assert.equal(judgedBy(two, decidedBy(one)), 'no answer', 'the older directory would say: owned');
  await settled();
  assert.equal(two.entraAccess.directory.current, 2);
  assert.equal(judgedBy(two, decidedBy(one)), 'not owned');
  assert.equal(judgedBy(two, old), 'not owned', 'by what is known now');
});

test('a newer sign-in is not answered for by an older one, and is there for the next request', async () => {
  for (const each of [one, two]) await each.directory.refresh();
  await signIn(one, PAYMENTS);
  await two.entraAccess.sessions.ensure(OLIVIA);
  await signIn(one, NO_GROUPS);
  assert.equal(judgedBy(two, decidedBy(one)), 'no answer');
  await settled();
  assert.equal(judgedBy(two, decidedBy(one)), 'not owned');
});

test('a token that lives longer than the sign-in that is known brings the newer one before the request goes on', async () => {
  for (const each of [one, two]) await each.directory.refresh();
  await signIn(one, PAYMENTS);
  await two.entraAccess.ensure(OLIVIA, { until: IN_AN_HOUR });
  await signIn(one, NO_GROUPS, IN_AN_HOUR + 60);
  await two.entraAccess.ensure(OLIVIA, { until: IN_AN_HOUR + 60 });
  assert.equal(judgedBy(two, decidedBy(one)), 'not owned', 'without a refusal in between');
});

test('tokens that are made up have a session looked for once in a while only', async () => {
  await signIn(one, PAYMENTS);
  await two.entraAccess.sessions.ensure(OLIVIA);
  const queries: string[] = [];
  database.knex.on('query', ({ sql }: { sql: string }) => queries.push(sql));
  for (let times = 0; times < 20; times += 1) {
    await two.entraAccess.ensure(OLIVIA, { until: IN_AN_HOUR + 1_000 + times });
    await two.entraAccess.catchUp(OLIVIA, { epoch: 0, session: 1_000 + times });
  }
  assert.equal(queries.length, 1, queries.join('\n'));
  assert.notEqual(two.entraAccess.sessions.find(OLIVIA), undefined, 'the one that is known goes on');
});

test('an epoch that does not exist keeps neither the database nor the catalog busy', async t => {
  await one.directory.refresh();
  reads = 0;
  const asked = t.mock.method(numbers, 'newest');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const ask = async () => {
    for (let times = 0; times < 5; times += 1) {
      assert.equal(judgedBy(one, { ...decidedBy(one), epoch: 1_000 + times }), 'no answer');
      await settled();
    }
    return asked.mock.callCount();
  };
  assert.equal(await ask(), 1);
  t.mock.timers.setTime(Date.now() + 1_000);
  assert.equal(await ask(), 2);
  assert.equal(reads, 0, 'no other replica has one: nothing to read');
});

test('who was slow does not number an old reading as the newest: it reads again', async () => {
  await one.directory.refresh();
  await two.directory.refresh();
  let release!: () => void;
  const held = new Promise<void>(resolve => (release = resolve));
  const slowOnce = () => {
    beforeRead = async () => undefined;
    return held;
  };
  // Replica two reads a catalog that is about to change twice, and gets its answer late.
  payments = groups.platformAdmins.id;
  beforeRead = slowOnce;
  const late = two.directory.refresh();
  await settled();
  payments = groups.searchEngineers.id;
  await one.directory.refresh();
  assert.equal(one.entraAccess.directory.current, 2);
  release();
  await late;
  assert.deepEqual(
    [two, one].map(({ entraAccess }) => entraAccess.directory.current),
    [2, 2],
  );
  await signIn(one, { groups: { state: 'known', ids: [groups.platformAdmins.id] } });
  await two.entraAccess.sessions.ensure(OLIVIA);
  assert.equal(judgedBy(two, decidedBy(one)), 'not owned', 'by what the catalog says now');
});

test('what was there before and is there again has a new number', async () => {
  await one.directory.refresh();
  await two.directory.refresh();
  payments = groups.searchEngineers.id;
  await one.directory.refresh();
  payments = groups.payments.id;
  await one.directory.refresh();
  assert.equal(one.entraAccess.directory.current, 3);
  await two.directory.catchUp();
  assert.equal(two.entraAccess.directory.current, 3, 'though nothing has changed for it');
});

test('a replica looks by itself whether another has a newer one, and reads only then', async () => {
  await one.directory.refresh();
  await two.directory.refresh();
  reads = 0;
  await two.directory.catchUp();
  assert.equal(reads, 0);
  payments = groups.searchEngineers.id;
  await one.directory.refresh();
  await two.directory.catchUp();
  assert.equal(two.entraAccess.directory.current, 2);
});

test('while another version of the plugin numbers as well, nobody counts up for ever', async () => {
  await one.directory.refresh();
  numbers.row = { ...numbers.row, epoch: 9, fingerprint: '2:what a later version makes of the same' };
  for (let times = 0; times < 3; times += 1) await one.directory.refresh();
  assert.deepEqual([one.entraAccess.directory.current, numbers.row.epoch], [9, 9]);
  payments = groups.searchEngineers.id;
  await one.directory.refresh();
  assert.deepEqual([one.entraAccess.directory.current, numbers.row.epoch], [10, 10], 'a change is one');
});

test('a database from a backup numbers anew, and the replicas follow', async () => {
  for (let times = 0; times < 3; times += 1) {
    payments = times % 2 ? groups.payments.id : groups.searchEngineers.id;
    await one.directory.refresh();
  }
  numbers.row = { epoch: 1, catalog: 1, fingerprint: '1:of long ago' };
  await one.directory.catchUp();
  await two.directory.catchUp();
  assert.deepEqual(
    [one, two].map(({ entraAccess }) => entraAccess.directory.current),
    [2, 2],
  );
});

test('a directory without a number is not taken', async t => {
  await one.directory.refresh();
  await signIn(one, PAYMENTS);
  payments = groups.searchEngineers.id;
  t.mock.method(numbers, 'advance', () =>
    Promise.reject(new Error('the database of entra-access does not answer (X)')),
  );
  await one.directory.refresh();
  assert.match(one.directory.error ?? '', /does not answer \(X\)/);
  assert.equal(one.entraAccess.directory.current, 1);
  assert.equal(judgedBy(one, decidedBy(one)), 'owned', 'as it was');
  t.mock.reset();
  await one.directory.refresh();
  assert.equal(judgedBy(one, decidedBy(one)), 'not owned');
});
