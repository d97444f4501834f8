import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { Entity } from '@backstage/catalog-model';
import type { EventsService } from '@backstage/plugin-events-node';
import { RecordingLogger } from '../../e2e/support/logger';
import { CATALOG_CHANGED, GROUP_ID_ANNOTATION } from '../service/catalogChanges';
import { ChangeNotices } from './changeNotices';

let published: string[];
let failing: boolean;
let logger: RecordingLogger;
let notices: ChangeNotices;
const caches = new Map<string, Map<string, unknown>>();

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  published = [];
  failing = false;
  caches.clear();
  logger = new RecordingLogger();
  const events = {
    publish: async ({ topic }: { topic: string }) => {
      if (failing) throw new Error('the bus is away');
      published.push(topic);
    },
  } as unknown as EventsService;
  notices = new ChangeNotices({ events, logger });
});
afterEach(() => {
  notices.close();
  mock.timers.reset();
});

const group = (spec: object = {}, annotations: Record<string, string> = {}): Entity => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Group',
  metadata: { name: 'payments', annotations },
  spec: { type: 'team', children: [], ...spec } as Entity['spec'],
});
const component = (spec: object, description = ''): Entity => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'api', description },
  spec: { type: 'service', lifecycle: 'production', ...spec } as Entity['spec'],
});

/** What the catalog does: a cache of its own for each entity */
async function processed(entity: Entity): Promise<void> {
  const key = `${entity.kind}/${entity.metadata.name}`;
  const cache = caches.get(key) ?? new Map<string, unknown>();
  caches.set(key, cache);
  const answer = await notices.postProcessEntity(entity, { type: 'file', target: 'x' }, () => {}, {
    get: async name => cache.get(name) as never,
    set: async (name, value) => void cache.set(name, value),
  });
  assert.equal(answer, entity, 'nothing is changed');
}

const count = () => {
  mock.timers.tick(2_000);
  return published.splice(0).length;
};

test('what bears on ownership is told once it has changed, and only then', async () => {
  const id = { [GROUP_ID_ANNOTATION]: '1f0c6b1e-0000-4000-8000-000000000001' };
  for (const entity of [
    group(),
    group({ parent: 'company' }),
    group({ parent: 'company', children: ['payments-engineers'] }),
    group({ parent: 'company', children: ['payments-engineers'] }, id),
    group(
      { parent: 'company', children: ['payments-engineers'] },
      { ...id, 'backstage.io/managed-by-location': 'url:x' },
    ),
    component({ owner: 'payments' }),
    component({ owner: 'search' }),
  ]) {
    await processed(entity);
    assert.equal(count(), 1, JSON.stringify(entity));
    await processed(structuredClone(entity));
    assert.equal(count(), 0, 'the same again');
  }
  await processed(component({ owner: 'search', lifecycle: 'retired' }, 'other words'));
  assert.equal(count(), 0, 'bears on nothing');
});

test('a catalog that comes in is one notice', async () => {
  for (let at = 0; at < 500; at += 1) {
    const entity = component({ owner: `team-${at}` });
    entity.metadata.name = `api-${at}`;
    await processed(entity);
  }
  mock.timers.tick(1_999);
  assert.deepEqual(published, []);
  mock.timers.tick(1);
  assert.deepEqual(published, [CATALOG_CHANGED]);
});

test('an event that cannot be published is a line in the log and stops nothing', async () => {
  failing = true;
  await processed(group());
  mock.timers.tick(2_000);
  await new Promise(resolve => setImmediate(resolve));
  assert.match(logger.complaints.join(), /seen later, at the next periodic look: the bus is away/);
  failing = false;
  await processed(group({ parent: 'company' }));
  assert.equal(count(), 1);
});
