/** The typed client against a real backend */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ResponseError } from '@backstage/errors';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { untilReady } from '../dev/story/client';
import { people } from '../dev/tenant/people';
import { EntraAccessClient } from '../src/client';
import { company, RememberingClient, SERVICE_TOKEN, TEAMS } from './support/company';

let environment: Environment;
let plain: RememberingClient;
let client: EntraAccessClient;
const asked: string[] = [];
const files = company();

before(async () => {
  environment = await startEnvironment({ configure: files.configure });
  plain = new RememberingClient(environment);
  await untilReady(plain, () => environment.tenant.mintAccessToken(people.adam), { owners: TEAMS + 3 });
  const getBaseUrl = async (pluginId: string) => `${environment.backendUrl}/api/${pluginId}`;
  client = new EntraAccessClient({ discoveryApi: { getBaseUrl } });
});
after(async () => {
  await environment?.stop();
  files.remove();
});

const entraToken = (principal = people.adam) => environment.tenant.mintAccessToken(principal);
const adam = async () => ({ token: await plain.tokenFor(entraToken()) });

test('every route is a method', async () => {
  const options = await adam();
  const olivia = entraToken(people.olivia);
  const me = await client.whoami(options);
  assert.ok(me.type === 'user' && me.objectId === people.adam.oid);
  const inspection = await client.inspectToken({ token: olivia }, options);
  assert.deepEqual([inspection.verdict, inspection.principal?.objectId], ['accepted', people.olivia.oid]);
  await plain.tokenFor(olivia);
  const principal = `user:default/${people.olivia.oid}`;
  const question = { permission: 'catalog.entity.refresh', resourceRef: 'component:default/payments-api', principal };
  const explanation = await client.explainDecision(question, options);
  assert.deepEqual([explanation.result, explanation.rule], ['ALLOW', 'owners-manage']);
  assert.equal((await client.getStatus(options)).core.available, true);
  const verdict = await client.verifyAudit({}, options);
  assert.ok(verdict.whole && verdict.records > 0);
  const [found] = verdict.chains;
  const head = [`${found!.chain}:1000000:${'a'.repeat(64)}`, `${found!.chain}:${found!.to}:${found!.hash}`];
  assert.deepEqual(
    (await client.verifyAudit({ head }, options)).problems.map(({ finding }) => finding),
    ['cut'],
  );
});

test('an Entra token will do, and so will whatever the fetch of an app brings', async () => {
  const direct = await client.whoami({ token: entraToken(people.olivia) });
  assert.ok(direct.type === 'user' && direct.objectId === people.olivia.oid);
  const { token } = await adam();
  const fetchApi = {
    fetch: ((input, init) => {
      asked.push(String(input));
      return fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
    }) as typeof fetch,
  };
  const getBaseUrl = async (pluginId: string) => `${environment.backendUrl}/api/${pluginId}`;
  const app = new EntraAccessClient({ discoveryApi: { getBaseUrl }, fetchApi });
  const me = await app.whoami();
  assert.ok(me.type === 'user' && me.objectId === people.adam.oid);
  assert.deepEqual(asked, [`${environment.backendUrl}/api/entra-access/v1/whoami`]);
});

test('all records of the audit trail come page by page, each once', async () => {
  for (let at = 0; at < 5; at++) await plain.signIn(`${entraToken(people.olivia).slice(0, -8)}AAAAAAAA`);
  const options = await adam();
  const query = { event: 'token-refused' as const, to: new Date(Date.now() + 1).toISOString() };
  const places: string[] = [];
  for await (const { chain, seq, code } of client.auditEntries({ ...query, limit: 2 }, options)) {
    assert.equal(code, 'signature_invalid');
    places.push(`${chain} ${seq}`);
  }
  assert.equal(places.length, 5);
  assert.equal(new Set(places).size, 5);
  const { items, nextCursor } = await client.getAuditPage({ ...query, limit: 2 }, options);
  assert.equal(items.length, 2);
  assert.ok(nextCursor);
  const rest = await client.getAuditPage({ ...query, cursor: nextCursor }, options);
  assert.equal(rest.items.length, 3);
  assert.equal(rest.nextCursor, null);
  // Whoever stops asking asks no further page.
  for await (const entry of client.auditEntries({ limit: 1 }, options)) {
    assert.ok(entry.hash);
    break;
  }
});

test('an answer that is none is a ResponseError with the stable code', async () => {
  const codeOf = async (answer: Promise<unknown>) => {
    const error = await answer.then(
      () => assert.fail('it was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ResponseError, String(error));
    return [error.response.status, (error.body.error as { code?: string }).code];
  };
  const dana = { token: await plain.tokenFor(entraToken(people.dana)) };
  assert.deepEqual(await codeOf(client.whoami()), [401, undefined]);
  assert.deepEqual(await codeOf(client.getStatus(dana)), [403, 'permission_needed']);
  assert.deepEqual(await codeOf(client.auditEntries({}, dana).next()), [403, 'permission_needed']);
  assert.deepEqual(await codeOf(client.explainDecision({ permission: 'x' }, dana)), [400, 'permission_unknown']);
  const service = { token: SERVICE_TOKEN };
  assert.deepEqual(await codeOf(client.explainDecision({ permission: 'x' }, service)), [400, 'request_invalid']);
  assert.deepEqual(await codeOf(client.whoami({ token: `${entraToken().slice(0, -8)}AAAAAAAA` })), [
    401,
    'signature_invalid',
  ]);
  const aborted = AbortSignal.abort();
  await assert.rejects(client.whoami({ ...dana, signal: aborted }), { name: 'AbortError' });
});
