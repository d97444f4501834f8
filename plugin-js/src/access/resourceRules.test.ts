import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import type { AuthService } from '@backstage/backend-plugin-api';
import { ResourceRules } from './resourceRules';

const ENTITY = 'component:default/x';
const textOf = (rule: string) => JSON.stringify({ rule, params: { of: rule } });

let catalog: Server;
let rules: ResourceRules;
/** The names of the rules of each request */
let asked: string[][];
/** Of a rule that the catalog does not have it says 500, as Backstage does */
let known: (rule: string) => boolean | undefined;
/** The status of such an answer */
let spoiled: number;

before(async () => {
  catalog = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { items } = JSON.parse(Buffer.concat(parts).toString()) as { items: Array<Record<string, any>> };
    asked.push(items.map(({ conditions }) => conditions.rule));
    assert.ok(items.every(({ resourceRef, conditions }) => resourceRef === ENTITY && conditions.params.of));
    const results = items.map(({ id, conditions }) => ({ id, holds: known(conditions.rule) }));
    response.statusCode = results.some(({ holds }) => holds === undefined) ? spoiled : 200;
    response.end(JSON.stringify({ items: results.map(({ id, holds }) => ({ id, result: holds ? 'ALLOW' : 'DENY' })) }));
  });
  await new Promise<void>(resolve => catalog.listen(0, '127.0.0.1', resolve));
  const { port } = catalog.address() as AddressInfo;
  const auth = {
    getOwnServiceCredentials: async () => ({}),
    getPluginRequestToken: async () => ({ token: 'x' }),
  } as unknown as AuthService;
  const base = async () => `http://127.0.0.1:${port}`;
  rules = new ResourceRules({ auth, discovery: { getBaseUrl: base, getExternalBaseUrl: base } });
});
after(() => {
  catalog.close();
  catalog.closeAllConnections();
});
beforeEach(() => {
  asked = [];
  spoiled = 500;
  known = rule => rule.startsWith('IS');
});

test('all rules are asked in one request', async () => {
  const answered = await rules.ask(['IS_A', 'HAS_B', 'IS_C'].map(textOf), ENTITY);
  assert.deepEqual(answered, { holds: ['IS_A', 'IS_C'].map(textOf), fails: [textOf('HAS_B')] });
  assert.deepEqual(asked, [['IS_A', 'HAS_B', 'IS_C']]);
});

test('one that the catalog does not have stays open, and spoils no other', async () => {
  known = rule => (rule === 'NONE' ? undefined : true);
  const answered = await rules.ask(['NONE', 'IS_A'].map(textOf), ENTITY);
  assert.deepEqual(answered, { holds: [textOf('IS_A')], fails: [] });
  assert.deepEqual(await rules.ask([textOf('NONE')], ENTITY), { holds: [], fails: [] });
  assert.equal(asked.length, 4);
});

test('a catalog that is away, or has too much to do, is not asked once more for each rule', async () => {
  known = () => undefined;
  for (const [status, requests] of [
    [400, 3],
    [500, 3],
    [401, 1],
    [403, 1],
    [429, 1],
    [502, 1],
    [503, 1],
  ] as const) {
    [spoiled, asked] = [status, []];
    assert.deepEqual(await rules.ask(['IS_A', 'IS_B'].map(textOf), ENTITY), { holds: [], fails: [] });
    assert.equal(asked.length, requests, String(status));
  }
});

test('what one explanation may ask is bounded', async () => {
  const all = Array.from({ length: 200 }, (_, at) => textOf(`IS_${at}`));
  assert.equal((await rules.ask(all, ENTITY)).holds.length, 64);
  assert.equal(asked.length, 1);
  known = () => undefined;
  assert.deepEqual(await rules.ask(all, ENTITY), { holds: [], fails: [] });
  assert.equal(asked.length, 2 + 16);
});
