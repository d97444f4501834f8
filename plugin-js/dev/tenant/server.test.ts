import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { backstageApi, workloads } from './applications';
import { people } from './people';
import { text } from './routes';
import { startTenant } from './server';
import type { Tenant } from './tenant';
import { FOREIGN_TENANT_ID } from './tenantIds';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant({
    routes: [
      { name: 'extra', method: 'GET', path: '/graph/:word', handle: ({ params }) => text(200, `${params.word}`) },
    ],
  });
});
after(() => tenant.close());

async function getJson(path: string) {
  const response = await fetch(`${tenant.authority}${path}`);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, any> };
}

test('each tenant has a discovery document per token version', async () => {
  for (const tid of [tenant.tenantId, FOREIGN_TENANT_ID]) {
    const v2 = await getJson(`/${tid}/v2.0/.well-known/openid-configuration`);
    assert.equal(v2.body.issuer, `${tenant.authority}/${tid}/v2.0`);
    assert.equal(v2.body.jwks_uri, `${tenant.authority}/${tid}/discovery/v2.0/keys`);
    assert.equal(v2.body.token_endpoint, `${tenant.authority}/${tid}/oauth2/v2.0/token`);
    assert.deepEqual(v2.body.id_token_signing_alg_values_supported, ['RS256']);
    assert.ok(v2.body.cloud_instance_name && v2.body.tenant_region_scope);
    assert.equal(v2.headers.get('cache-control'), 'max-age=86400, private');

    const v1 = await getJson(`/${tid}/.well-known/openid-configuration`);
    assert.equal(v1.body.issuer, `${tenant.authority}/${tid}/`);
    assert.equal(v1.body.jwks_uri, `${tenant.authority}/${tid}/discovery/keys`);
  }
});

test('keys have the members of the real ones: no alg, an issuer only in v2.0', async () => {
  const v2 = (await getJson(`/${tenant.tenantId}/discovery/v2.0/keys`)).body.keys;
  assert.equal(v2.length, 2);
  assert.deepEqual(Object.keys(v2[0]), ['kty', 'use', 'kid', 'x5t', 'n', 'e', 'x5c', 'issuer']);
  assert.equal(v2[0].issuer, `${tenant.authority}/{tenantid}/v2.0`);
  assert.equal(v2[0].kid, v2[0].x5t);

  const v1 = (await getJson(`/${tenant.tenantId}/discovery/keys`)).body.keys;
  assert.deepEqual(Object.keys(v1[0]), ['kty', 'use', 'kid', 'x5t', 'n', 'e', 'x5c']);
});

test('an unknown tenant is refused in the real shape', async () => {
  const { status, body } = await getJson('/00000000-0000-0000-0000-000000000000/v2.0/.well-known/openid-configuration');
  assert.equal(status, 400);
  assert.deepEqual([body.error, body.error_codes], ['invalid_tenant', [90002]]);
});

test('jose verifies what is minted, against the published keys, before and after a roll', async () => {
  const keysOf = async () => {
    const { body } = await getJson(`/${tenant.tenantId}/discovery/v2.0/keys`);
    return createLocalJWKSet(body as unknown as JSONWebKeySet);
  };
  const expected = { issuer: tenant.home.issuer('2.0'), audience: backstageApi.clientId };
  const old = tenant.mintAccessToken(people.olivia);
  await jwtVerify(old, await keysOf(), expected);

  await tenant.rollKeys({ overlap: true });
  await jwtVerify(old, await keysOf(), expected);
  await jwtVerify(tenant.mintAccessToken(people.olivia), await keysOf(), expected);

  await tenant.rollKeys({ overlap: false });
  await assert.rejects(jwtVerify(old, await keysOf(), expected), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  await jwtVerify(tenant.mintAccessToken(people.olivia, { version: '1.0' }), await keysOf(), {
    issuer: tenant.home.issuer('1.0'),
    audience: backstageApi.appIdUri,
  });
});

test('the token endpoint grants app-only tokens for the right secret', async () => {
  const { status, body } = await requestToken({});
  assert.equal(status, 200);
  assert.deepEqual([body.token_type, body.expires_in, body.ext_expires_in], ['Bearer', 3599, 3599]);
  const keys = createRemoteJWKSet(new URL(`${tenant.home.base}/discovery/v2.0/keys`));
  const { payload } = await jwtVerify(body.access_token, keys, { audience: backstageApi.clientId });
  assert.deepEqual([payload.idtyp, payload.oid], ['app', workloads.scanner.oid]);
});

test('the token endpoint refuses in the real shape', async () => {
  const refusals: [Record<string, string>, number, string, number][] = [
    [{ client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
    [{ client_secret: '' }, 401, 'invalid_client', 7000218],
    [{ client_id: FOREIGN_TENANT_ID }, 400, 'unauthorized_client', 700016],
    [{ client_id: '' }, 400, 'invalid_request', 900144],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
    [{ scope: 'api://backstage/access_as_user' }, 400, 'invalid_scope', 1002012],
    [{ scope: 'api://other/.default' }, 400, 'invalid_resource', 500011],
  ];
  for (const [change, status, error, code] of refusals) {
    const answer = await requestToken(change);
    assert.deepEqual([answer.status, answer.body.error, answer.body.error_codes], [status, error, [code]]);
    assert.match(answer.body.error_description, new RegExp(`^AADSTS${code}: .* Trace ID: .* Correlation ID: `));
  }
});

async function requestToken(change: Record<string, string>) {
  const form = {
    grant_type: 'client_credentials',
    client_id: workloads.scanner.clientId,
    client_secret: workloads.scanner.secret,
    scope: 'api://backstage/.default',
    ...change,
  };
  const response = await fetch(`${tenant.home.base}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, any> };
}

test('/mint answers tokens for curl lines', async () => {
  const mint = async (query: string) => {
    const response = await fetch(`${tenant.authority}/mint?${query}`);
    return { status: response.status, body: await response.text() };
  };
  for (const query of [
    'as=olivia',
    'as=frank',
    'as=scanner',
    'as=agent',
    'as=otto&variant=v1',
    'as=dana&variant=expired',
  ]) {
    const { status, body } = await mint(query);
    assert.equal(status, 200, query);
    assert.match(body, /^[\w-]+\.[\w-]+\.[\w-]+$/, query);
  }
  assert.match((await mint('as=nobody')).body, /^as: one of olivia, dana/);
  assert.match((await mint('as=olivia&variant=nothing')).body, /^variant: v1 or, for people, one of tampered, /);
});

test('routes can be added', async () => {
  const response = await fetch(`${tenant.authority}/graph/hello`);
  assert.equal(await response.text(), 'hello');
  assert.equal(tenant.requests.extra, 1);
});

test('requests are counted by route', async () => {
  const { jwks = 0, unknown = 0 } = tenant.requests;
  await getJson(`/${tenant.tenantId}/discovery/v2.0/keys`);
  await (await fetch(`${tenant.authority}/nothing/here`)).text();
  assert.equal(tenant.requests.jwks, jwks + 1);
  assert.equal(tenant.requests.unknown, unknown + 1);
});

test('close ends open connections, and once is enough', async () => {
  const other = await startTenant();
  other.faults.jwks = 'slow';
  const response = await fetch(`${other.home.base}/discovery/v2.0/keys`);
  await other.close();
  await assert.rejects(response.text());
  await other.close();
});
