/** A real MCP client at Backstage's own MCP server: the actions are there for whoever may, and answer as the routes do */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mcpActions from '@backstage/plugin-mcp-actions-backend';
import { Client as McpClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { agents, groups, people } from '../dev/tenant/people';
import { captureLog, SERVICE_TOKEN } from './support/company';

const NAMES = ['who-am-i', 'explain-access', 'inspect-token'].map(name => `entra-access.${name}`);
const [WHO, EXPLAIN, INSPECT] = NAMES as [string, string, string];
const PAYMENTS = 'component:default/payments-api';
const RULES = [
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'all-ask', effect: 'allow', permissions: ['entra-access.whoami.read', 'entra-access.decision.explain'] },
  { id: 'owners-read', effect: 'allow', permissions: ['catalog.entity.*'], when: { owned: true } },
];

let environment: Environment;
let client: Client;
const log = captureLog();
before(async () => {
  environment = await startEnvironment({
    configure(config) {
      config.backend.actions = { pluginSources: ['entra-access'] };
      config.backend.auth = {
        externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } }],
      };
      config.entraAccess.policy = { rules: RULES };
    },
    features: [mcpActions],
    logLevel: 'debug',
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(async () => {
  await environment?.stop();
  log.restore();
});

const entraToken = (person: Parameters<Environment['tenant']['mintAccessToken']>[0]) =>
  environment.tenant.mintAccessToken(person);

/** Connects with a bearer token as any MCP client does, and closes when `use` is done */
async function connected<T>(token: string, use: (mcp: McpClient) => Promise<T>): Promise<T> {
  const mcp = new McpClient({ name: 'a-test', version: '1.0.0' });
  const url = new URL(`${environment.backendUrl}/api/mcp-actions/v1`);
  await mcp.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  try {
    return await use(mcp);
  } finally {
    await mcp.close();
  }
}

const tools = async (token: string) => (await connected(token, mcp => mcp.listTools())).tools;

/** What a tool answers: its output, or the text of its error */
async function call(token: string, name: string, input: Record<string, unknown> = {}) {
  const { content, isError, structuredContent } = (await connected(token, mcp =>
    mcp.callTool({ name, arguments: input }),
  )) as any;
  assert.equal(content.length, 1);
  if (isError) return { error: content[0].text as string };
  assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  return structuredContent;
}

/** Without how long ago, or from now, something is: a second may pass between two answers */
const timeless = (answer: object) => JSON.parse(JSON.stringify(answer).replace(/"\d+ s (ago|from now)"/g, '"$1"'));

test('an administrator is offered all three, and each says that it changes nothing', async () => {
  const offered = await tools(entraToken(people.adam));
  assert.deepEqual(offered.map(({ name }) => name).sort(), [...NAMES].sort());
  for (const { annotations, name, description = '' } of offered) {
    const { readOnlyHint, destructiveHint, idempotentHint } = annotations ?? {};
    assert.deepEqual([readOnlyHint, destructiveHint, idempotentHint], [true, false, true], name);
    assert.ok(description.length > 100, name);
  }
  const explain = offered.find(({ name }) => name === EXPLAIN)!.inputSchema;
  assert.deepEqual(Object.keys(explain.properties ?? {}).sort(), ['permission', 'principal', 'resourceRef']);
  assert.deepEqual(explain.required, ['permission']);
});

test('whoever may not inspect tokens is neither offered the tool nor answered by it', async () => {
  const olivia = entraToken(people.olivia);
  assert.deepEqual((await tools(olivia)).map(({ name }) => name).sort(), [EXPLAIN, WHO]);
  const { error } = await call(olivia, INSPECT, { token: 'x' });
  assert.match(error, /NotFoundError/);
});

test('the answers are those of the routes, for a person, an agent and a job', async () => {
  const callers = {
    person: entraToken(people.olivia),
    agent: entraToken(agents.onBehalfOfOlivia),
    signedIn: await client.tokenFor(entraToken(people.dana)),
  };
  for (const [who, token] of Object.entries(callers)) {
    const { status, body } = await client.call('/api/entra-access/v1/whoami', token);
    assert.equal(status, 200, who);
    assert.deepEqual(await call(token, WHO), body, who);
    for (const permission of ['catalog.entity.refresh', 'catalog.entity.create']) {
      const explained = await client.explain(token, permission);
      assert.equal(explained.status, 200, who);
      assert.deepEqual(await call(token, EXPLAIN, { permission }), explained.body, `${who} ${permission}`);
    }
  }
  const owner = await client.explain(callers.person, 'catalog.entity.delete', PAYMENTS);
  assert.equal(owner.body.result, 'ALLOW');
  const input = { permission: 'catalog.entity.delete', resourceRef: PAYMENTS };
  assert.deepEqual(await call(callers.person, EXPLAIN, input), owner.body);
});

test('a token is inspected as by the route, and neither it nor its parts are in an answer, an error or the log', async () => {
  const adam = entraToken(people.adam);
  const good = entraToken(people.olivia);
  const broken = `${good.slice(0, -8)}AAAAAAAA`;
  const route = async (token: string, purpose?: string) =>
    (await client.call('/api/entra-access/v1/tokens/inspect', adam, { token, purpose })).body;
  for (const [token, code] of [
    [good, undefined],
    [broken, 'signature_invalid'],
    ['x', 'token_malformed'],
  ] as const) {
    const answer = await call(adam, INSPECT, { token });
    assert.equal(answer.code, code);
    assert.deepEqual(timeless(answer), timeless(await route(token)));
    assert.ok(token === 'x' || !JSON.stringify(answer).includes(token.slice(-20)));
  }
  const signIn = await call(adam, INSPECT, { token: good, purpose: 'sign-in' });
  assert.deepEqual(timeless(signIn), timeless(await route(good, 'sign-in')));
  const { error } = await call(adam, INSPECT, { token: good, purpose: good });
  assert.match(error, /InputError: the request body is not as expected: purpose/);
  assert.ok(!error.includes(good.slice(0, 40)));
  assert.ok(log.text().length > 0 && !log.text().includes(good) && !log.text().includes(broken));
});

test('nobody asks about somebody else, or about what they may not read, without the permission', async () => {
  const dana = entraToken(people.dana);
  const permission = 'catalog.entity.delete';
  const other = await call(dana, EXPLAIN, { permission, principal: `user:default/${people.olivia.oid}` });
  assert.match(other.error, /NotAllowedError: permission entra-access\.decision\.explain-others is needed/);
  const hidden = await call(dana, EXPLAIN, { permission, resourceRef: PAYMENTS });
  assert.match(
    hidden.error,
    /NotFoundError: component:default\/payments-api does not exist, or the caller may not read it/,
  );
  const missing = await call(dana, EXPLAIN, { permission, resourceRef: 'component:default/none' });
  assert.equal(missing.error.replace('none', 'payments-api'), hidden.error);
  const adam = entraToken(people.adam);
  const asked = await call(adam, EXPLAIN, { permission, principal: `user:default/${people.olivia.oid}` });
  assert.equal(asked.result, 'CONDITIONAL');
});

test('a service is told what it is, and has to say about whom it asks', async () => {
  const { type } = await call(SERVICE_TOKEN, WHO);
  assert.equal(type, 'service');
  const { error } = await call(SERVICE_TOKEN, EXPLAIN, { permission: 'catalog.entity.read' });
  assert.match(error, /InputError: principal: a service asks about somebody/);
});

test('what is no question is refused with its place', async () => {
  const adam = entraToken(people.adam);
  for (const [input, place] of [
    [{}, /InputError/],
    [{ permission: 7 }, /InputError/],
    [{ permission: 'catalog.entity.read', more: 1 }, /InputError/],
    [{ permission: '' }, /InputError: .*permission/],
    [{ permission: 'catalog.entity.no' }, /InputError: permission "catalog\.entity\.no" is not declared/],
    [{ permission: 'catalog.entity.read', resourceRef: 'component:' }, /InputError: .*resourceRef/],
  ] as const) {
    assert.match((await call(adam, EXPLAIN, input)).error, place, JSON.stringify(input));
  }
});

test('without a token, or with a refused one, there is nobody to answer', async () => {
  const expired = environment.tenant.mintAccessToken(people.olivia, { claims: { exp: 1_600_000_000 } });
  for (const token of ['', expired]) {
    await assert.rejects(
      connected(token, mcp => mcp.listTools()),
      `token of ${token.length}`,
    );
  }
});
