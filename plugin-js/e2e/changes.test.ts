/** The real catalog tells when groups change, and a replica that hears of it reads them */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createBackendPlugin, coreServices } from '@backstage/backend-plugin-api';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { people } from '../dev/tenant/people';
import { CATALOG_CHANGED } from '../src/service/catalogChanges';
import './support/conforms';

const FIRST = '0d15ea5e-0000-4000-8000-00000000c001';
const SECOND = '0d15ea5e-0000-4000-8000-00000000c002';

let heard = 0;
const listener = createBackendPlugin({
  pluginId: 'listener',
  register(env) {
    env.registerInit({
      deps: { events: eventsServiceRef, logger: coreServices.logger },
      async init({ events }) {
        await events.subscribe({ id: 'test', topics: [CATALOG_CHANGED], onEvent: async () => void (heard += 1) });
      },
    });
  },
});

let folder: string;
let file: string;
let environment: Environment;
let client: Client;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-changes-'));
  file = join(folder, 'team.yaml');
  writeTeam(FIRST);
  environment = await startEnvironment({
    features: [listener],
    configure: config => {
      config.catalog.processingInterval = { seconds: 1 };
      config.catalog.locations.push({ type: 'file', target: file });
    },
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(async () => {
  await environment?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function writeTeam(id: string): void {
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'backstage.io/v1alpha1',
      kind: 'Group',
      metadata: { name: 'changing', annotations: { 'graph.microsoft.com/group-id': id } },
      spec: { type: 'team', children: [] },
    }),
  );
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(100)) {
    if (await holds()) return;
  }
  assert.fail('not within a minute');
}

/** How many notices there were when none has come for twice as long as they are put off */
async function settled(): Promise<number> {
  let last: number;
  do {
    last = heard;
    await pause(4_000);
  } while (heard !== last);
  return last;
}

/** Whom a member of that group is, as the core sees it */
async function owns(id: string): Promise<boolean> {
  const token = environment.tenant.mintAccessToken(people.rita, { claims: { groups: [id] } });
  const { body } = await client.call('/api/entra-access/v1/whoami', await client.tokenFor(token));
  return JSON.stringify(body).includes('group:default/changing');
}

test('a group that gets another id is told, read and in force, and what does not change is told no more', async () => {
  await until(() => owns(FIRST));
  await until(() => heard > 0);
  const before = await settled();
  writeTeam(SECOND);
  await until(() => heard > before);
  await until(() => owns(SECOND));
  assert.equal(await owns(FIRST), false);

  const after = await settled();
  await pause(6_000);
  assert.equal(heard, after, 'the catalog processes everything every second, and tells nothing');
});
