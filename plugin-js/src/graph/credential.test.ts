import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { graphOf, READER } from '../../e2e/support/graph';
import { managedIdentity, workloads } from '../../dev/tenant/applications';
import { managedIdentityEnvironment } from '../../dev/tenant/managedIdentity';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { createCredential } from './credential';
import { GraphClient } from './graphClient';
import { GraphError } from './graphError';
import { GRAPH_LIMITS } from './limits';
import type { GraphSettings } from './settings';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
afterEach(() => {
  tenant.faults.token = undefined;
});
after(() => tenant.close());

const make = (settings: GraphSettings = READER) => createCredential(settings, graphOf(tenant));

async function failure(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GraphError, String(error));
  assert.equal(error.scope, 'tenant');
  assert.doesNotMatch(error.message, /simulated-secret|eyJ/);
  return error.message;
}

test('one token for all, fetched once', async () => {
  const credential = make();
  const before = tenant.requests.token ?? 0;
  const tokens = await Promise.all(Array.from({ length: 20 }, () => credential.token(10_000)));
  assert.equal(new Set(tokens).size, 1);
  // Not thrown away so soon after it was given: whatever Graph dislikes, a new one would not mend it.
  credential.forget();
  assert.equal(await credential.token(10_000), tokens[0]);
  assert.equal(tenant.requests.token, before + 1);
});

test('a token that Graph refuses is thrown away after a minute, and a new one is fetched', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const credential = make();
  await credential.token(10_000);
  const before = tenant.requests.token ?? 0;
  t.mock.timers.tick(61_000);
  credential.forget();
  await credential.token(10_000);
  assert.equal(tenant.requests.token, before + 1);
});

test('the last minutes of a token outlive an outage of sign-in, and not one second more', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const credential = make();
  const token = await credential.token(10_000);
  tenant.faults.token = 'unavailable';
  t.mock.timers.tick(3_599_000 - 60_000);
  assert.equal(await credential.token(10_000), token);
  t.mock.timers.tick(60_000);
  assert.match(await failure(credential.token(10_000)), /503/);
});

for (const [fault, reason] of [
  ['down', /no token for Microsoft Graph: \w+/],
  ['unavailable', /no token for Microsoft Graph: 503/],
  ['notJson', /answered something else/],
  ['huge', /longer than 262144 bytes/],
  ['redirect', /no token for Microsoft Graph: 302/],
  ['slow', /no answer within 0\.1 s/],
] as const) {
  test(`a token endpoint that is ${fault} is a reason, and the next question asks again`, async () => {
    const credential = make();
    tenant.faults.token = fault;
    assert.match(await failure(credential.token(fault === 'slow' ? 100 : 10_000)), reason);
    tenant.faults.token = undefined;
    assert.ok(await credential.token(10_000));
  });
}

test('what Entra refuses is named by its number', async () => {
  const wrong = { ...READER, secret: 'wrong' } as GraphSettings;
  assert.match(await failure(make(wrong).token(10_000)), /401 AADSTS7000215 invalid_client/);
  const unknown = { ...READER, clientId: people.adam.oid } as GraphSettings;
  assert.match(await failure(make(unknown).token(10_000)), /400 AADSTS700016 unauthorized_client/);
});

test('a managed identity, in the form of App Service, through @azure/identity', async () => {
  const environment = managedIdentityEnvironment(tenant);
  const old = Object.keys(environment).map(name => [name, process.env[name]] as const);
  Object.assign(process.env, environment);
  try {
    // First: once it has a token, @azure/identity keeps it for the process.
    tenant.faults.token = 'notJson';
    assert.match(await failure(make({ kind: 'managedIdentity' }).token(2_000)), /no token for Microsoft Graph: /);
    tenant.faults.token = undefined;
    for (const settings of [
      { kind: 'managedIdentity' },
      { kind: 'managedIdentity', clientId: managedIdentity.clientId },
    ] as const) {
      const before = tenant.requests.managedIdentity ?? 0;
      const client = new GraphClient(graphOf(tenant), make(settings), GRAPH_LIMITS);
      assert.equal((await client.groupsOf('users', people.otto.oid)).length, 251);
      // @azure/identity may still try again what failed above.
      assert.ok((tenant.requests.managedIdentity ?? 0) > before);
    }
  } finally {
    for (const [name, value] of old) if (value === undefined) delete process.env[name];
  }
});

test('through @azure/identity, a cloud that is not there is a reason without the secret in it', async () => {
  const { clientId, secret } = workloads.groupReader;
  const nowhere = { ...graphOf(tenant), authority: `https://127.0.0.1:${tenant.port}` };
  const credential = createCredential({ kind: 'secret', clientId, secret }, nowhere);
  const message = await failure(credential.token(3_000));
  assert.match(message, /^there is no token for Microsoft Graph: /);
  const certificate = createCredential({ kind: 'certificate', clientId, path: '/there/is/none.pem' }, nowhere);
  assert.match(
    await failure(certificate.token(3_000)),
    /the file of `entraAccess\.groups\.graph\.certificate` could not be read$/,
  );
});
