/** Who may say which Entra group a catalog group is: against the real catalog, with files that lie about where they stand */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { groups, people } from '../dev/tenant/people';
import './support/conforms';

const GROUP_ID = 'graph.microsoft.com/group-id';
const LOCATION = 'backstage.io/managed-by-location';
const ORIGIN = 'backstage.io/managed-by-origin-location';
const STOLEN = groups.payments.id;
const NAMED = '0d15ea5e-0000-4000-8000-000000000001';

type Entity = Record<string, any>;

const group = (name: string, annotations: unknown, metadata: object = {}): Entity => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Group',
  metadata: { name, annotations, ...metadata },
  spec: { type: 'team', children: [] },
});
const location = (name: string, spec: object): Entity => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Location',
  metadata: { name },
  spec,
});
const component = (name: string, owner: string): Entity => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name },
  spec: { type: 'service', lifecycle: 'production', owner },
});
const yaml = (entities: Entity[]) => entities.map(entity => stringify(entity)).join('\n---\n');

/** Says in its own file that the msgraph provider made it */
const forged = { [GROUP_ID]: STOLEN, [LOCATION]: 'msgraph:production/1', [ORIGIN]: 'msgraph:production/1' };

/** What anybody serves at an address of their own */
const files: Record<string, string> = {};
let server: Server;
let base: string;
let folder: string;
let environment: Environment;
let client: Client;
let adam: string;
let found: Map<string, Entity>;

before(async () => {
  server = createServer((request, response) => {
    const text = files[request.url ?? ''];
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/yaml' }).end(text);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'entra-access-trust-'));
  mkdirSync(join(folder, 'many'));
  const file = (name: string, entities: Entity[]) => {
    writeFileSync(join(folder, name), yaml(entities));
    return join(folder, name);
  };

  files['/evil.yaml'] = yaml([
    group('thief', forged),
    // Would read the annotations only after Backstage has written its own.
    group('placeholder', { $yaml: `${base}/annotations.yaml` }),
    component('loot', 'group:default/thief'),
    // Only a file may point to a file of this machine.
    location('local', { type: 'file', target: join(folder, 'pointed.yaml') }),
  ]);
  files['/annotations.yaml'] = stringify(forged);
  files['/named.yaml'] = yaml([group('named', { [GROUP_ID]: NAMED })]);
  file('pointed.yaml', [group('pointed', { [GROUP_ID]: STOLEN })]);
  file('listed.yaml', [group('listed', { [GROUP_ID]: groups.paymentsEngineers.id })]);
  file('many/one.yaml', [group('matched', { [GROUP_ID]: STOLEN })]);
  environment = await startEnvironment({
    configure: config => {
      config.backend.reading = { allow: [{ host: new URL(base).host }] };
      config.catalog.processingInterval = { seconds: 1 };
      config.catalog.locations.push(
        { type: 'url', target: `${base}/named.yaml` },
        { type: 'file', target: file('all.yaml', [location('all', { targets: ['./pointed.yaml', './listed.yaml'] })]) },
        { type: 'file', target: join(folder, 'many', '*.yaml') },
      );
      config.entraAccess.catalog = {
        trustedLocations: ['all', 'listed'].map(name => `file:${join(folder, `${name}.yaml`)}`),
      };
    },
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  adam = await client.tokenFor(environment.tenant.mintAccessToken(people.adam));
  const registered = await client.call('/api/catalog/locations', adam, { type: 'url', target: `${base}/evil.yaml` });
  assert.equal(registered.status, 201, JSON.stringify(registered.body));
  await untilFound(['thief', 'named', 'pointed', 'listed', 'matched'], ['loot']);
});
after(async () => {
  await environment?.stop();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Until the catalog has them and the core has seen it */
async function untilFound(names: string[], components: string[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const query = '/api/catalog/entities/by-query?filter=kind=group&filter=kind=component&limit=100';
    const { body } = await client.call(query, adam);
    found = new Map(body.items.map((entity: Entity) => [entity.metadata.name, entity]));
    const problems = await problemsByRef();
    const seen = ['thief', 'pointed', 'matched'].every(name => problems.has(`group:default/${name}`));
    if (seen && [...names, ...components].every(name => found.has(name))) return;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  throw new Error(`not found: ${[...names, ...components].filter(name => !found.has(name)).join(', ')}`);
}

async function problemsByRef(): Promise<Map<string, string>> {
  const { body } = await client.call('/api/entra-access/v1/status', adam);
  return new Map(
    body.directory.problems.map((problem: { entityRef: string; message: string }) => [
      problem.entityRef,
      problem.message,
    ]),
  );
}

const annotation = (name: string, key: string) => found.get(name)?.metadata.annotations[key];

test('Backstage overwrites both annotations, whatever the file says', () => {
  assert.equal(annotation('thief', LOCATION), `url:${base}/evil.yaml`);
  assert.equal(annotation('thief', ORIGIN), `url:${base}/evil.yaml`);
  assert.equal(annotation('thief', GROUP_ID), STOLEN, 'the claim itself is there');
  assert.ok(!found.has('placeholder'), 'refused as a whole');
});

test('a claim from a file that anybody registered gives nothing and takes nothing', async () => {
  const olivia = await client.tokenFor(environment.tenant.mintAccessToken(people.olivia));
  const { body: who } = await client.call('/api/entra-access/v1/whoami', olivia);
  assert.ok(who.owners.includes('group:default/payments'), 'the operator’s own binding is not disputed');
  for (const thief of ['thief', 'pointed', 'matched']) {
    assert.ok(!who.owners.includes(`group:default/${thief}`), thief);
  }
  const { body: loot } = await client.explain(olivia, 'catalog.entity.delete', 'component:default/loot');
  assert.equal(loot.result, 'DENY');
  const { body: own } = await client.explain(olivia, 'catalog.entity.delete', 'component:default/payments-api');
  assert.equal(own.result, 'ALLOW');
});

test('every claim that is not trusted is reported with the entity, its place and the fix', async () => {
  const problems = await problemsByRef();
  for (const [name, place] of [
    ['thief', `url:${base}/evil.yaml`],
    // Named in the configuration, but only as what points to it, or matches it.
    ['pointed', `file:${join(folder, 'pointed.yaml')}`],
    ['matched', `file:${join(folder, 'many', 'one.yaml')}`],
  ]) {
    const message = problems.get(`group:default/${name}`) ?? '';
    assert.ok(message.includes(`\`${place}\``) && message.includes('entraAccess.catalog.trustedLocations'), message);
  }
  for (const trusted of ['listed', 'named', 'payments']) assert.ok(!problems.has(`group:default/${trusted}`), trusted);
});

test('only a file that the operator lists may be drawn in through another', async () => {
  assert.equal(annotation('listed', LOCATION), `file:${join(folder, 'listed.yaml')}`);
  assert.equal(annotation('listed', ORIGIN), `file:${join(folder, 'all.yaml')}`);
  const { body: who } = await client.call(
    '/api/entra-access/v1/whoami',
    await client.tokenFor(environment.tenant.mintAccessToken(people.olivia)),
  );
  assert.ok(who.owners.includes('group:default/listed'));
});

test('types that would be trusted cannot be registered', async () => {
  for (const type of ['msgraph', 'file']) {
    const { status } = await client.call('/api/catalog/locations', adam, { type, target: 'production/1' });
    assert.equal(status, 400, type);
  }
});
