import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { AuthService } from '@backstage/backend-plugin-api';
import { ANNOTATION_LOCATION, ANNOTATION_ORIGIN_LOCATION, type Entity } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { groups } from '../../dev/tenant/people';
import { configurationOf, FROM_ENTRA, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { NumbersInMemory } from '../../e2e/support/numbers';
import { EntraAccess } from '../service/entraAccess';
import { GROUP_ID_ANNOTATION } from '../service/catalogChanges';
import { CatalogDirectory, groupIdsOf } from './directory';
import { statusOf } from './views';

const logger = new RecordingLogger();
const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
const entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, logger);
after(() => entraAccess.close());

const PAYMENTS = groupEntity('payments', { groupId: groups.payments.id });

/** What the catalog answers: owners, or an error */
let owners: () => string[];
let entities: Entity[];
let numbers: NumbersInMemory;
let directory: CatalogDirectory;
/** How often it was read, how long each takes, and the time, in milliseconds */
let readings: number;
let takes: number;
let now: number;
beforeEach(() => {
  logger.clear();
  owners = () => ['group:default/payments'];
  entities = [PAYMENTS];
  [readings, takes, now] = [0, 0, 0];
  const catalog = {
    async *streamEntities() {
      readings += 1;
      now += takes;
      yield entities;
    },
    async getEntityFacets() {
      return { facets: { 'relations.ownedBy': owners().map(value => ({ value, count: 1 })) } };
    },
  } as unknown as CatalogService;
  const auth = { getOwnServiceCredentials: async () => ({}) } as unknown as AuthService;
  numbers = new NumbersInMemory();
  directory = new CatalogDirectory({ entraAccess, catalog, auth, numbers, logger, clock: () => now });
});

/** As the msgraph provider makes them */
function groupEntity(name: string, { groupId, ...spec }: { groupId?: string; parent?: unknown; children?: unknown }) {
  const { location, origin } = FROM_ENTRA;
  const annotations = {
    [ANNOTATION_LOCATION]: location,
    [ANNOTATION_ORIGIN_LOCATION]: origin,
    ...(groupId ? { [GROUP_ID_ANNOTATION]: groupId } : {}),
  };
  return { apiVersion: 'v1', kind: 'Group', metadata: { name, namespace: 'teams', annotations }, spec } as Entity;
}

const shown = () => statusOf(entraAccess, directory).directory as { ageSeconds: number | null; error?: string };

test('what the catalog says is taken, and is as old as the last good reading', async () => {
  assert.equal(shown().ageSeconds, null);
  await directory.refresh();
  assert.equal(directory.report?.groups, 1);
  const at = directory.refreshedAt!;
  assert.ok(Date.now() - at < 5_000);
  await directory.refresh();
  assert.ok(directory.refreshedAt! >= at, 'unchanged is fresh, too');
  assert.ok(!('error' in shown()));
});

test('what the core does not take is not fresh, and the status says so', async t => {
  t.mock.method(entraAccess.core, 'setDirectory', () => ({ ok: false, error: 'made up' }));
  await directory.refresh();
  assert.equal(directory.refreshedAt, undefined);
  assert.equal(shown().ageSeconds, null);
  assert.match(shown().error ?? '', /made up/);
});

test('a failure is told once for each reason, and is over with the next success', async () => {
  const fail = (message: string) => (owners = () => assert.fail(message));
  fail('the catalog is away');
  for (let times = 0; times < 5; times += 1) await directory.refresh();
  assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));
  assert.match(shown().error ?? '', /the catalog is away/);
  fail('the catalog is confused');
  await directory.refresh();
  await directory.refresh();
  assert.equal(logger.complaints.length, 2);
  assert.match(shown().error ?? '', /confused/);

  owners = () => ['group:default/payments'];
  await directory.refresh();
  assert.equal(directory.error, undefined);
  assert.ok(!('error' in shown()));
  fail('the catalog is confused');
  await directory.refresh();
  assert.equal(logger.complaints.length, 3, 'a new failure');
});

test('who is in a group owns what the groups around it own, however they are written', async () => {
  entities = [
    groupEntity('engineers', { groupId: groups.paymentsEngineers.id, parent: 'Payments' }),
    groupEntity('payments', { parent: undefined, children: [] }),
    groupEntity('division', { children: ['group:teams/payments', 'teams/gone'] }),
  ];
  await directory.refresh();
  assert.deepEqual(directory.report?.problems, []);
  assert.equal(directory.report?.nested, 2);
  const record = recordOf({ groups: { state: 'known', ids: [groups.paymentsEngineers.id] } });
  const handle = entraAccess.core.admit(record, 'user:default/olivia', record.expiresAt)!;
  const names = ['division', 'engineers', 'payments'].map(name => `group:teams/${name}`);
  assert.deepEqual(entraAccess.core.owners(handle), [...names, 'user:default/olivia']);
});

test('what is no reference is reported with the entity, and each problem is logged once', async () => {
  entities = [
    groupEntity('a', { parent: 'a:b:c/d/e' }),
    groupEntity('b', { groupId: 'payments', parent: 7 }),
    groupEntity('c', { groupId: groups.payments.id, parent: 'c' }),
  ];
  await directory.refresh();
  const told = () => directory.report!.problems.map(({ entityRef, message }) => `${entityRef}: ${message}`);
  assert.match(told().join('\n'), /^group:teams\/a: spec\.parent names `a:b:c\/d\/e`, which is no group/);
  assert.match(told().join('\n'), /group:teams\/b: .* is not a GUID[^]*group:teams\/b: spec\.parent names `7`/);
  assert.match(told().join('\n'), /group:teams\/c: spec\.parent names the group itself/);
  assert.equal(logger.complaints.length, told().length);
  entities = [...entities, PAYMENTS];
  await directory.refresh();
  const again = told().filter(problem => /carry the group id/.test(problem));
  assert.equal(again.length, 2);
  assert.equal(logger.complaints.length, told().length, 'the old ones are not repeated');
});

test('ids of untrusted entities are followed, 500 at the most, the same ones each time', () => {
  const id = (at: number) => `0f9e0000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
  const entity = (at: number, location: string) => ({ entityRef: `group:x/${at}`, groupId: id(at), location });
  const doubtful = Array.from({ length: 800 }, (_, at) => entity(at, 'url:anywhere'));
  const sure = Array.from({ length: 700 }, (_, at) => entity(10_000 + at, 'trusted'));
  // One that is trusted counts, whoever else names it.
  const both = entity(799, 'trusted');
  const isTrusted = ({ location }: { location?: string }) => location === 'trusted';
  const found = groupIdsOf([...doubtful, ...sure, both, { entityRef: 'group:x/y', groupId: 'no id' }], isTrusted);
  assert.equal(found.size, 700 + 1 + 500);
  for (const { groupId } of [...sure, both, ...doubtful.slice(0, 500)]) assert.equal(found.has(groupId), true);
  assert.deepEqual([...groupIdsOf([...doubtful].reverse(), isTrusted)], [...groupIdsOf(doubtful, isTrusted)]);
});

test('while the database does not answer, one question waits and no more', async () => {
  await directory.refresh();
  let asked = 0;
  let answer: () => void = () => undefined;
  const newest = numbers.newest.bind(numbers);
  numbers.newest = async () => {
    asked += 1;
    await new Promise<void>(resolve => (answer = resolve));
    return newest();
  };
  const waiting = [directory.catchUp(), directory.catchUp(), directory.catchUp()];
  assert.equal(asked, 1);
  answer();
  await Promise.all(waiting);
  void directory.catchUp();
  assert.equal(asked, 2);
  answer();
});

test('the longer a reading takes, the longer a catalog is left alone in which nothing changes', async () => {
  const afterwards = async (ms: number) => {
    now += ms;
    await directory.refreshInTurn();
    return readings;
  };
  const away = () => {
    throw new Error('away');
  };
  takes = 1_000;
  assert.equal(await afterwards(0), 1);
  assert.equal(await afterwards(15_000), 2, 'what was new may not have been all of it');
  assert.equal(await afterwards(28_999), 2);
  assert.equal(await afterwards(1), 3, '30 s after it began');
  takes = 10_000;
  assert.equal(await afterwards(29_000), 4);
  assert.equal(await afterwards(44_999), 4);
  assert.equal(await afterwards(1), 5, 'by the turn after a minute');

  await directory.refreshAnew();
  assert.equal(readings, 6, 'a change is read at once');
  assert.equal(await afterwards(0), 7, 'and the next time, as the catalog may have been slower than who told of it');
  assert.equal(await afterwards(0), 7);
  const answered = owners;
  owners = away;
  await directory.refreshAnew();
  assert.equal(await afterwards(0), 9, 'also where it could not be read');
  assert.equal(await afterwards(0), 10);
  owners = answered;
  assert.equal(await afterwards(0), 11);
  assert.equal(await afterwards(0), 11);

  // Told of while it is read in turn.
  now += 60_000;
  await Promise.all([directory.refreshInTurn(), directory.refreshAnew()]);
  assert.equal(readings, 13);
  assert.equal(await afterwards(0), 14);

  // The turn comes while what was told of is read.
  now += 60_000;
  await Promise.all([directory.refreshAnew(), directory.refreshInTurn()]);
  assert.equal(readings, 15, 'shared');
  assert.equal(await afterwards(0), 16);
  const reading = directory.refreshAnew();
  await Promise.resolve();
  await Promise.all([directory.refreshInTurn(), reading]);
  assert.equal(readings, 17, 'begun for the change');
  assert.equal(await afterwards(0), 18);
  assert.equal(await afterwards(0), 18);
});
