/** The document at `openapi.json`, what it says of requests and answers, and the limits of one caller: over HTTP */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { people, type Principal } from '../dev/tenant/people';
import { entraAccessPermissions } from '../src/access/permissions';
import { openApiDocument } from '../src/openapi/document';
import { company, RememberingClient, SERVICE_TOKEN } from './support/company';
import { assertConforms, assertFits, document } from './support/conforms';

const BASE = '/api/entra-access';
const INSPECT = `${BASE}/v1/tokens/inspect`;
const EXPLAIN = `${BASE}/v1/decisions/explain`;
const ENTRIES = `${BASE}/v1/audit/entries`;
const VERIFY = `${BASE}/v1/audit/verify`;
const LIMIT = 40;

let environment: Environment;
let client: RememberingClient;
const files = company();

before(async () => {
  environment = await startEnvironment({
    configure(config) {
      files.configure(config);
      config.entraAccess.limits = { inspect: LIMIT, explain: LIMIT };
    },
  });
  client = new RememberingClient(environment);
});
after(async () => {
  await environment?.stop();
  files.remove();
});

const tokenOf = (principal: Principal) => client.tokenFor(environment.tenant.mintAccessToken(principal));

// ---- the document

test('the document is served to everybody, as it is made', async () => {
  const { status, body } = await client.call(`${BASE}/openapi.json`);
  assert.equal(status, 200);
  assert.deepEqual(body, JSON.parse(JSON.stringify(openApiDocument(`${environment.backendUrl}${BASE}`))));
  assert.ok(!JSON.stringify(body).includes(environment.tenant.tenantId), 'nothing of the configuration is in it');
});

test('it is an OpenAPI 3.1 document by the official schema', async () => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  const validator = new Validator();
  assert.deepEqual(await validator.validate(JSON.parse(JSON.stringify(document))), { valid: true });
  assert.equal(validator.version, '3.1');
  const broken = { ...JSON.parse(JSON.stringify(document)), paths: [] };
  assert.equal((await new Validator().validate(broken)).valid, false);
});

test('each of our permissions guards an operation or is told of in one', () => {
  const text = JSON.stringify(document.paths);
  for (const { name } of entraAccessPermissions) assert.ok(text.includes(name), name);
});

for (const [path, operations] of Object.entries(document.paths)) {
  const [[method = '', operation] = []] = Object.entries(operations);
  // Nothing is set here: e2e/follow.test.ts asks where it is.
  const setting = operation?.['x-setting'];
  const init = { method: method.toUpperCase() };
  test(`${method} ${path} is there, and asks for a token where the document says so`, async () => {
    const { status } = await client.raw(`${BASE}${path}`, init);
    assert.equal(status, operation?.security && !setting ? 200 : 401);
  });

  if (setting) {
    test(`${path} is not there without ${setting}`, async () => {
      const headers = { authorization: `Bearer ${await tokenOf(people.adam)}` };
      for (const other of [init.method, 'DELETE', 'GET']) {
        const { status, text } = await client.raw(`${BASE}${path}`, { method: other, headers });
        assert.deepEqual([status, text], [404, '']);
      }
    });
    continue;
  }

  test(`${path} answers no other method`, async () => {
    const headers = { authorization: `Bearer ${await tokenOf(people.adam)}` };
    for (const other of ['DELETE', 'PUT', 'PATCH', method === 'get' ? 'POST' : 'GET']) {
      const response = await fetch(`${environment.backendUrl}${BASE}${path}`, { method: other, headers });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), method === 'get' ? 'GET, HEAD' : 'POST');
      assert.equal(((await response.json()) as any).error.code, 'method_not_allowed');
    }
  });
}

test('an answer that is not as the document says is noticed', () => {
  const whoami = { method: 'GET', path: `${BASE}/v1/whoami`, status: 200, type: 'application/json; charset=utf-8' };
  const service = { type: 'service', note: 'x' };
  const good = { ...whoami, text: JSON.stringify(service) };
  assertConforms(good);
  for (const [change, says] of [
    [{ text: JSON.stringify({ ...service, more: 1 }) }, /additional properties/],
    [{ text: JSON.stringify({ type: 'service' }) }, /required property 'note'/],
    [{ status: 418, text: '{}' }, /may not answer 418/],
    [
      { status: 404, text: JSON.stringify({ error: { name: 'x', message: 'x' }, response: { statusCode: 404 } }) },
      /'code'/,
    ],
    [{ type: 'text/html', text: '' }, /may not be text\/html/],
    [{ path: `${BASE}/v1/secret`, text: '{}' }, /not described/],
    [{ path: ENTRIES, type: 'application/x-ndjson', text: '{"seq":1}\n' }, /required property 'at'/],
  ] as const) {
    assert.throws(() => assertConforms({ ...good, ...change }), says);
  }
});

// ---- requests: the document and the backend are of one mind

const hash = 'a'.repeat(64);
const chain = '3f0c1a52-8d7e-4b69-a0c3-5e91d2f4b786';

/** Whether the document takes a body */
function bodyFits(path: string, body: unknown): boolean {
  return fits(
    body,
    `/paths/${encodeURIComponent(path.slice(BASE.length).replaceAll('/', '~1'))}/post/requestBody/content/application~1json/schema`,
  );
}

function fits(value: unknown, place: string): boolean {
  try {
    assertFits(value, place, 'it');
    return true;
  } catch (error) {
    assert.match((error as Error).message, /is not as/, 'for no other reason');
    return false;
  }
}

for (const [path, body, good] of [
  [INSPECT, { token: 'x' }, true],
  [INSPECT, { token: 'x', purpose: 'sign-in' }, true],
  [INSPECT, {}, false],
  [INSPECT, { token: '' }, false],
  [INSPECT, { token: null }, false],
  [INSPECT, { token: 'x', purpose: 'access ' }, false],
  [INSPECT, { token: 'x', other: 'x' }, false],
  [INSPECT, [], false],
  [EXPLAIN, { permission: 'catalog.entity.read' }, true],
  [EXPLAIN, { permission: '\u{1f511}'.repeat(256) }, true],
  [EXPLAIN, { permission: 'x'.repeat(257) }, false],
  [EXPLAIN, { permission: 'a\nb' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'component:default/payments-api' }, true],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'component:payments-api' }, true],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'payments-api' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'component:default/a\u0000b' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'a:b:c' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'kind-\u00e9:b/\u4b49' }, true],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: '\u{1f511}:b/c' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: '..:by-uid/c' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'a:../..' }, false],
  [EXPLAIN, { permission: 'catalog.entity.read', principal: 'user:default/' }, false],
] as Array<[string, unknown, boolean]>) {
  test(`${path.split('/').at(-1)} ${JSON.stringify(body).slice(0, 80)} is ${good ? 'read' : 'refused'}`, async () => {
    assert.equal(bodyFits(path, body), good, 'by the document');
    const { status, body: answer } = await client.call(path, SERVICE_TOKEN, body);
    const refused = status === 400 && answer.error.code === 'request_invalid';
    // A service has to name somebody, which no schema can say.
    const byUs = refused && !/a service asks about somebody/.test(answer.error.message);
    assert.equal(!byUs, good, JSON.stringify(answer));
  });
}

/** Whether the document takes a value of a parameter */
function valueFits(path: string, name: string, value: unknown): boolean {
  const parameters = document.paths[path.slice(BASE.length)]?.get?.parameters as Array<{ name: string }>;
  const at = parameters.findIndex(each => each.name === name);
  if (at === -1) return false;
  const route = encodeURIComponent(path.slice(BASE.length).replaceAll('/', '~1'));
  return fits(value, `/paths/${route}/get/parameters/${at}/schema`);
}

for (const [path, name, value, good] of [
  [ENTRIES, 'limit', 1, true],
  [ENTRIES, 'limit', 1000, true],
  [ENTRIES, 'limit', 0, false],
  [ENTRIES, 'limit', 1001, false],
  [ENTRIES, 'limit', 1.5, false],
  [ENTRIES, 'limit', '1e2', false],
  [ENTRIES, 'limit', '', false],
  [ENTRIES, 'from', '2026-02-28T23:59:59Z', true],
  [ENTRIES, 'from', '2024-02-29T00:00:00.123456789+14:00', true],
  [ENTRIES, 'from', '0000-01-01T00:00:00Z', true],
  [ENTRIES, 'from', '2026-02-29T00:00:00Z', false],
  [ENTRIES, 'from', 'yesterday', false],
  [ENTRIES, 'to', '2026-01-01', false],
  [ENTRIES, 'result', 'DENY', true],
  [ENTRIES, 'result', 'deny', false],
  [ENTRIES, 'event', 'decision', true],
  [ENTRIES, 'event', 'anything', false],
  [ENTRIES, 'principal', 'user:default/x', true],
  [ENTRIES, 'principal', '\u{1f511}'.repeat(1024), true],
  [ENTRIES, 'principal', 'x'.repeat(1025), false],
  [ENTRIES, 'rule', 'a\u0000b', false],
  [ENTRIES, 'resource', '', false],
  [ENTRIES, 'cursor', `1764331200000.${chain}.7`, true],
  [ENTRIES, 'cursor', `999999999999999.${chain}.9999999999`, true],
  [ENTRIES, 'cursor', '=', false],
  [ENTRIES, 'cursor', `-1.${chain}.7`, false],
  [ENTRIES, 'who', 'me', false],
  [ENTRIES, '__proto__', 'x', false],
  [VERIFY, 'head', [`${chain}:1:${hash}`], true],
  [VERIFY, 'head', Array(100).fill(`${chain}:1:${hash}`), true],
  [VERIFY, 'head', Array(101).fill(`${chain}:1:${hash}`), false],
  [VERIFY, 'head', [`${chain}:1`], false],
  [VERIFY, 'head', [`${chain}:1:${hash}:`], false],
  [VERIFY, 'after', `${chain}:1:${hash}`, true],
  [VERIFY, 'after', `${chain}:-1:${hash}`, false],
] as Array<[string, string, unknown, boolean]>) {
  const shown = JSON.stringify(value).slice(0, 60);
  test(`${path.split('/').at(-1)} with ${name}=${shown} is ${good ? 'read' : 'refused'}`, async () => {
    assert.equal(valueFits(path, name, value), good, 'by the document');
    const query = new URLSearchParams([value].flat().map((each): [string, string] => [name, String(each)]));
    const { status, body } = await client.call(`${path}?${query}`, await tokenOf(people.adam));
    assert.equal(status, good ? 200 : 400, JSON.stringify(body).slice(0, 300));
    if (!good) assert.equal(body.error.code, 'request_invalid');
  });
}

test('a mistake is named with its place, and nothing of what was sent', async () => {
  const adam = await tokenOf(people.adam);
  const messageOf = async (path: string, body?: object) => (await client.call(path, adam, body)).body.error.message;
  assert.equal(
    await messageOf(`${ENTRIES}?limit=5000&result=MAYBE`),
    'the query is not as expected: result: Invalid option: expected one of "ALLOW"|"DENY"|"CONDITIONAL"; ' +
      'limit: Too big: expected number to be <=1000',
  );
  assert.equal(
    await messageOf(`${ENTRIES}?limit=1&limit=2`),
    'the query is not as expected: limit: given more than once',
  );
  assert.match(
    await messageOf(`${ENTRIES}?eyJhbGciOi=1`),
    /^the query is not as expected: there is nothing but principal, /,
  );
  assert.equal(
    await messageOf(INSPECT, { eyJhbGciOi: 'x' }),
    'the request body is not as expected: token: Invalid input: expected string, received undefined; ' +
      'body: there is nothing but token, purpose',
  );
  assert.equal(
    await messageOf(EXPLAIN, { permission: 'catalog.entity.read', resourceRef: 'eyJhbGciOi' }),
    'the request body is not as expected: resourceRef: not an entity reference such as component:default/payments-api',
  );
});

for (const [name, type, body, status, says] of [
  ['called text', 'text/plain', '{"token":"eyJhbGciOi"}', 400, /content-type: application\/json/],
  ['without a type', '', '{"token":"eyJhbGciOi"}', 400, /content-type: application\/json/],
  ['a form', 'application/x-www-form-urlencoded', 'token=eyJhbGciOi', 400, /content-type: application\/json/],
  ['in another character set', 'application/json; charset=iso-8859-1', '{"token":"eyJhbGciOi"}', 415, /send UTF-8/],
  ['that is a word', 'application/json', 'null', 400, /not JSON/],
  ['with something behind it', 'application/json', '{"token":"eyJhbGciOi"}}', 400, /not JSON/],
  ['that is too large', 'application/json', `{"token":"${'eyJhbGciOi'.repeat(110_000)}"}`, 413, /larger than 1 MiB/],
] as Array<[string, string, string, number, RegExp]>) {
  test(`a body ${name} is refused with the reason`, async () => {
    const headers = { authorization: `Bearer ${await tokenOf(people.adam)}`, 'content-type': type };
    const answer = await client.raw(INSPECT, { method: 'POST', headers, body: Buffer.from(body) });
    assert.equal(answer.status, status, answer.text);
    const { error } = JSON.parse(answer.text);
    assert.deepEqual([error.name, error.code], ['InputError', 'request_invalid']);
    assert.match(error.message, says);
    assert.ok(!answer.text.includes('eyJ'));
  });
}

test('a body in an encoding that it is not in is refused, too', async () => {
  const headers = { authorization: `Bearer ${await tokenOf(people.adam)}`, 'content-type': 'application/json' };
  for (const [encoding, status] of [
    ['gzip', 400],
    ['compress', 415],
  ] as const) {
    const init = {
      method: 'POST',
      headers: { ...headers, 'content-encoding': encoding },
      body: '{"token":"eyJhbGciOi"}',
    };
    const answer = await client.raw(INSPECT, init);
    assert.deepEqual([answer.status, JSON.parse(answer.text).error.code], [status, 'request_invalid'], answer.text);
  }
});

for (const [path, operations] of Object.entries(document.paths)) {
  if (!operations.get || operations.get.security) continue;
  test(`${path} takes no body, and none is read`, async () => {
    const authorization = `Bearer ${await tokenOf(people.adam)}`;
    for (const sent of ['{}', '{"token":"eyJhbGciOi"', 'x'.repeat(2_000_000)]) {
      const { status, text } = await getWith(path, sent, { authorization, 'content-type': 'application/json' });
      assert.equal(status, 400, text);
      const { error } = JSON.parse(text);
      assert.deepEqual([error.code, error.message], ['request_invalid', 'this route takes no request body']);
    }
    // Whoever may not ask is not told what is wrong with the question.
    assert.equal((await getWith(path, '{}', {})).status, 401);
    assert.equal((await getWith(path, '', { authorization })).status, 200);
  });
}

/** What fetch refuses to send */
async function getWith(path: string, sent: string, headers: Record<string, string>) {
  const { port } = new URL(environment.backendUrl);
  const length = { 'content-length': String(sent.length) };
  const request = httpRequest({ host: '127.0.0.1', port, path: `${BASE}${path}`, headers: { ...headers, ...length } });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(sent);
  const [response] = await answered;
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const [status, text] = [response.statusCode ?? 0, Buffer.concat(parts).toString()];
  assertConforms({ method: 'GET', path: `${BASE}${path}`, status, type: response.headers['content-type'] ?? '', text });
  return { status, text };
}

// ---- limits

test('a caller who asks too often is told when to come back, and nobody else is kept', async () => {
  const [dana, rita] = [await tokenOf(people.dana), await tokenOf(people.rita)];
  const ask = (token: string) =>
    fetch(`${environment.backendUrl}${EXPLAIN}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"permission":"catalog.entity.read"}',
    });
  const first = await ask(dana);
  assert.equal(first.status, 200);
  assert.match(first.headers.get('ratelimit-policy') ?? '', new RegExp(`^${LIMIT};w=60$`));
  // So many that they are too many even where a minute ends among them.
  const answers = await Promise.all(Array.from({ length: 2 * LIMIT + 1 }, () => ask(dana)));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && answers.every(({ status }) => status === 200 || status === 429));
  const [one] = refused;
  const wait = Number(one!.headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= 60, String(wait));
  const text = await one!.text();
  const type = one!.headers.get('content-type') ?? '';
  assertConforms({ method: 'POST', path: EXPLAIN, status: 429, type, text });
  const { error } = JSON.parse(text);
  assert.equal(error.code, 'rate_limited');
  assert.equal(
    error.message,
    `more than ${LIMIT} requests of this caller within a minute; see \`entraAccess.limits.explain\``,
  );
  assert.equal((await ask(rita)).status, 200, 'another caller');
  assert.equal((await client.call(`${BASE}/v1/whoami`, dana)).status, 200, 'another route');
  assert.equal((await client.call(INSPECT, dana, { token: 'x' })).status, 403, 'another limit');
});

test('whoever lacks the permission is counted, and whoever has no token is nobody to count', async () => {
  const dana = await tokenOf(people.dana);
  const statuses = async (token?: string) => {
    const questions = Array.from({ length: 2 * LIMIT + 1 }, () => client.call(INSPECT, token, { token: 'x' }));
    return [...new Set((await Promise.all(questions)).map(({ status }) => status))].sort();
  };
  assert.deepEqual(await statuses(dana), [403, 429]);
  assert.deepEqual(await statuses(), [401]);
  assert.deepEqual(await statuses('nonsense'), [401]);
});
