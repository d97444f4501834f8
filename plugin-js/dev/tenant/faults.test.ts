import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Faults } from './faults';
import { startTenant } from './server';
import type { Tenant } from './tenant';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
afterEach(() => {
  tenant.faults.discovery = undefined;
  tenant.faults.jwks = undefined;
});
after(() => tenant.close());

const MIB = 1024 * 1024;

function discovery(init?: RequestInit) {
  return fetch(`${tenant.home.base}/v2.0/.well-known/openid-configuration`, init);
}

async function keys(fault?: Faults['jwks']) {
  tenant.faults.jwks = fault;
  const response = await fetch(`${tenant.home.base}/discovery/v2.0/keys`);
  const body = await response.text();
  return { length: body.length, keys: JSON.parse(body).keys as Record<string, unknown>[] };
}

test('down resets the connection, and up again is up again', async () => {
  tenant.faults.discovery = 'down';
  await assert.rejects(discovery());
  tenant.faults.discovery = undefined;
  assert.equal((await discovery()).status, 200);
});

test('unavailable is a 503', async () => {
  tenant.faults.discovery = 'unavailable';
  assert.equal((await discovery()).status, 503);
});

test('slow never ends', async () => {
  tenant.faults.discovery = 'slow';
  const response = await discovery({ signal: AbortSignal.timeout(200) });
  assert.equal(response.status, 200);
  await assert.rejects(response.text(), { name: 'TimeoutError' });
});

test('notJson is a page', async () => {
  tenant.faults.discovery = 'notJson';
  const response = await discovery();
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^<!DOCTYPE html>/);
});

test('huge is right but for its size', async () => {
  tenant.faults.discovery = 'huge';
  const body = await (await discovery()).text();
  assert.ok(body.length > 8 * MIB);
  assert.equal(JSON.parse(body).issuer, tenant.home.issuer('2.0'));
});

test('redirect leads to another host name, where it would work', async () => {
  tenant.faults.discovery = 'redirect';
  const response = await discovery({ redirect: 'manual' });
  assert.equal(response.status, 302);
  assert.equal(new URL(response.headers.get('location') ?? '').hostname, 'localhost');
  assert.equal(tenant.requests.redirected, 0);

  const followed = await discovery();
  assert.equal(((await followed.json()) as { issuer: string }).issuer, tenant.home.issuer('2.0'));
  assert.equal(tenant.requests.redirected, 1);
});

test('wrongIssuer names another tenant, in the document or in the keys', async () => {
  tenant.faults.discovery = 'wrongIssuer';
  const document = (await (await discovery()).json()) as { issuer: string };
  assert.equal(document.issuer, tenant.foreign.issuer('2.0'));
  for (const key of (await keys('wrongIssuer')).keys) assert.equal(key.issuer, tenant.foreign.issuer('2.0'));
});

test('otherCloud names another cloud in the keys', async () => {
  for (const key of (await keys('otherCloud')).keys) assert.equal(key.cloud_instance_name, 'not-lab.example');
});

test('privateKeys gives away the private halves', async () => {
  for (const key of (await keys('privateKeys')).keys) {
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.equal(typeof key[member], 'string', member);
  }
});

test('manyKeys adds 10,000 keys below 1 MiB', async () => {
  const good = (await keys()).keys;
  const many = await keys('manyKeys');
  assert.equal(many.keys.length, good.length + 10_000);
  assert.ok(many.length < MIB);
});

test('keys name their issuer as a template or as one tenant', async () => {
  tenant.keyIssuers = 'tenant';
  for (const key of (await keys()).keys) assert.equal(key.issuer, tenant.home.issuer('2.0'));
  tenant.keyIssuers = 'template';
});
