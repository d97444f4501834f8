/** What Backstage itself answers to an address that asks too much is as the document says */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { people } from '../dev/tenant/people';
import { RememberingClient } from './support/company';
import { document } from './support/conforms';

const LIMIT = 20;

let environment: Environment;
let client: RememberingClient;

before(async () => {
  environment = await startEnvironment({
    configure(config) {
      const limits = { window: { minutes: 10 }, incomingRequestLimit: LIMIT, ipAllowList: ['192.0.2.1'] };
      config.backend.rateLimit = { global: false, plugin: { 'entra-access': limits } };
    },
  });
  client = new RememberingClient(environment);
});
after(() => environment?.stop());

test('each operation may be answered so, with and without a token', async () => {
  const adam = await client.tokenFor(environment.tenant.mintAccessToken(people.adam));
  const whoami = () => client.call('/api/entra-access/v1/whoami', adam);
  let answer = await whoami();
  for (let time = 0; answer.status === 200 && time < LIMIT; time += 1) answer = await whoami();
  // Held against the document by the client.
  assert.deepEqual([answer.status, answer.body.error.code], [429, undefined]);
  for (const [path, operations] of Object.entries(document.paths)) {
    const [[method = ''] = []] = Object.entries(operations);
    const body = method === 'post' ? {} : undefined;
    const { status } = await client.call(`/api/entra-access${path}`, path === '/openapi.json' ? undefined : adam, body);
    assert.equal(status, 429, path);
  }
});
