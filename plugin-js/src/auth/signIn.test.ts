import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { workloads } from '../../dev/tenant/applications';
import { agents, groups, people } from '../../dev/tenant/people';
import { configurationOf, DIRECTORY, FROM_ENTRA, POLICY, recordOf, TEMPLATE } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { Principal } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { createEntraAuthenticator } from './module';
import { entityRefOf } from './identity';
import { signIn } from './signIn';

/** Nobody has a User entity */
const identities = { entityRefOf: async (principal: Principal) => entityRefOf(principal, TEMPLATE) };
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;

let entraAccess: EntraAccess;
before(() => {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, new RecordingLogger());
  entraAccess.core.setDirectory({
    // Everybody in payments stands for both; only one of them owns anything.
    groups: [
      ...DIRECTORY.groups,
      { entityRef: 'group:default/idle', groupId: groups.paymentsEngineers.id, ...FROM_ENTRA },
    ],
    owners: DIRECTORY.owners,
  });
});
after(() => entraAccess.close());

/** The auth backend's part: puts the claims into a token */
function issuer(payload: (claims: object) => unknown = claims => ({ ...claims, exp: IN_AN_HOUR })) {
  const issued: Array<{ sub: string; ent: string[] }> = [];
  const issueToken = async ({ claims }: { claims: object }) => {
    issued.push(claims as { sub: string; ent: string[] });
    return { token: `e30.${Buffer.from(JSON.stringify(payload(claims))).toString('base64url')}.x` };
  };
  return { issued, context: { issueToken } as unknown as Parameters<typeof signIn>[1] };
}

function admitted(change: Partial<Principal>) {
  const principal = recordOf({ expiresAt: IN_AN_HOUR, ...change });
  return { principal, handle: entraAccess.core.admit(principal, entityRefOf(principal, TEMPLATE), IN_AN_HOUR)! };
}

test('a ref is made of ids that never change', () => {
  const { identity } = agents.onBehalfOfOlivia;
  for (const [change, ref] of [
    [{ objectId: people.olivia.oid }, `user:default/${people.olivia.oid}`],
    [{ objectId: people.olivia.oid, name: 'user:default/adam' }, `user:default/${people.olivia.oid}`],
    [{ kind: 'workload', objectId: workloads.scanner.oid }, `user:default/${workloads.scanner.oid}`],
    [
      { kind: 'agent', objectId: people.olivia.oid, actor: { clientId: identity.clientId } },
      `user:agent-${identity.clientId}/${people.olivia.oid}`,
    ],
  ] as Array<[Partial<Principal>, string]>) {
    const found = entityRefOf(recordOf(change), TEMPLATE);
    assert.equal(found, ref);
    // The limits of Backstage's own validator: 63 characters each.
    const [, namespace = '', name = ''] = /^user:([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(found) ?? [];
    assert.ok(namespace.length >= 1 && namespace.length <= 63 && name.length >= 1 && name.length <= 63, found);
  }
});

test('`ent` holds the principal and the owners that own something', async () => {
  const ids = [groups.paymentsEngineers.id, groups.payments.id, groups.fabrikamStaff.id];
  const { issued, context } = issuer();
  await signIn(
    admitted({ objectId: people.olivia.oid, groups: { state: 'known', ids } }),
    context,
    entraAccess,
    identities,
  );
  const sub = `user:default/${people.olivia.oid}`;
  assert.deepEqual(issued, [{ sub, ent: [sub, 'group:default/payments'] }]);
  const handle = entraAccess.sessions.find(sub)!;
  assert.equal(entraAccess.core.describe(handle)?.expiresAt, IN_AN_HOUR, 'the session ends with the Backstage token');
});

test('`ent` stays short with 200 groups, and with unknown ones', async () => {
  const ids = Array.from({ length: 200 }, (_, at) => `0f9e0000-0000-4000-8000-${String(at).padStart(12, '0')}`);
  for (const state of [{ state: 'known', ids } as const, { state: 'unknown', ids: [] } as const]) {
    const { issued, context } = issuer();
    await signIn(
      admitted({ objectId: people.otto.oid, groups: { ...state, ids: [...state.ids] } }),
      context,
      entraAccess,
      identities,
    );
    assert.deepEqual(issued[0]?.ent, [`user:default/${people.otto.oid}`]);
  }
});

test('whoever is taken for somebody else gets no token', async () => {
  const rita = { objectId: people.rita.oid };
  await signIn(admitted(rita), issuer().context, entraAccess, identities);
  const { issued, context } = issuer();
  await assert.rejects(signIn(admitted({ ...rita, kind: 'workload' }), context, entraAccess, identities), {
    name: 'ConflictError',
  });
  assert.deepEqual(issued, []);
});

test('a forgotten principal gets no token', async () => {
  const dana = admitted({ objectId: people.dana.oid });
  entraAccess.core.release(dana.handle);
  const { issued, context } = issuer();
  const said: Array<string | undefined> = [];
  const { require } = entraAccess.audit;
  entraAccess.audit.require = async ({ event, result, code }) => void said.push(event, result, code);
  await assert.rejects(signIn(dana, context, entraAccess, identities), { name: 'AuthenticationError' });
  entraAccess.audit.require = require;
  assert.deepEqual(issued, []);
  assert.deepEqual(said, ['sign-in', 'DENY', 'sign_in_incomplete']);
  assert.equal(entraAccess.sessions.find(`user:default/${people.dana.oid}`), undefined);
});

test('a sign-in that the core has forgotten meanwhile is recorded as refused, like every other', async () => {
  const recorded = mock.method(entraAccess.audit, 'require', async () => undefined);
  try {
    const rita = admitted({ objectId: people.rita.oid });
    entraAccess.core.release(rita.handle);
    await assert.rejects(signIn(rita, issuer().context, entraAccess, identities), { name: 'AuthenticationError' });
    const [record] = recorded.mock.calls.map(call => (call.arguments as unknown[])[0] as Record<string, unknown>);
    assert.deepEqual([record?.event, record?.result, record?.code], ['sign-in', 'DENY', 'sign_in_incomplete']);
    assert.equal(recorded.mock.callCount(), 1);
  } finally {
    recorded.mock.restore();
  }
});

for (const exp of [undefined, null, '1800000000', 1.5, Number.MAX_VALUE]) {
  test(`a Backstage token with exp ${exp} opens no session`, async () => {
    const dana = admitted({ objectId: people.dana.oid });
    const { context } = issuer(claims => ({ ...claims, exp }));
    await assert.rejects(signIn(dana, context, entraAccess, identities), /no expiry/);
    assert.equal(entraAccess.sessions.find(`user:default/${people.dana.oid}`), undefined);
  });
}

function optionsFrom(options: unknown) {
  const config = { get: () => options } as unknown as Parameters<
    ReturnType<typeof createEntraAuthenticator>['initialize']
  >[0]['config'];
  return createEntraAuthenticator(entraAccess).initialize({ config });
}

test('the header is named in any letter case, authorization by default', () => {
  assert.deepEqual(optionsFrom({}), { header: 'authorization', token: 'access' });
  assert.deepEqual(optionsFrom({ header: 'X-Entra-Token' }), { header: 'x-entra-token', token: 'access' });
});

test('ID tokens are taken where the operator says so, and in the header that never holds anything else', () => {
  for (const [options, token] of [
    [{ token: 'id' }, 'id'],
    [{ header: 'x-forwarded-id-token', token: 'id' }, 'id'],
    [{ header: 'X-MS-TOKEN-AAD-ID-TOKEN' }, 'id'],
    [{ header: 'x-ms-token-aad-id-token', token: 'access' }, 'access'],
    [{ header: 'x-ms-token-aad-access-token' }, 'access'],
    [{ header: 'x-ms-token-aad-id-token-2' }, 'access'],
  ] as const) {
    assert.equal(optionsFrom(options).token, token, JSON.stringify(options));
  }
});

for (const [options, message] of [
  [{ header: 'x entra' }, /^auth\.providers\.entra\.header: a header name has letters, digits and dashes/],
  [{ header: '' }, /^auth\.providers\.entra\.header: /],
  [{ header: 7 }, /^auth\.providers\.entra\.header: /],
  [{ header: 'X-Entra-Access-Direct' }, /^auth\.providers\.entra\.header: this header is reserved for direct calls/],
  [{ token: 'ID' }, /^auth\.providers\.entra\.token: either `access` or `id`/],
  [{ token: null }, /^auth\.providers\.entra\.token: either `access` or `id`/],
  [{ token: ['id'] }, /^auth\.providers\.entra\.token: either `access` or `id`/],
  [{ audience: 'x' }, /^auth\.providers\.entra: .*audience/],
  ['on', /^auth\.providers\.entra: /],
] as const) {
  test(`provider options ${JSON.stringify(options)} are a mistake with its place`, () => {
    assert.throws(() => optionsFrom(options), { name: 'InputError', message });
  });
}
