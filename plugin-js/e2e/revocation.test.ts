/** Whoever has no account in force is refused at once, on every route, whatever token they still hold */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { Client, untilReady, type Answer } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { workloads } from '../dev/tenant/applications';
import { agents, groups, people, type User } from '../dev/tenant/people';
import { HOME_TENANT_ID } from '../dev/tenant/tenantIds';
import { entraPermissionsServiceFactory } from '../src/inProcess';
import { callerPlugin } from './support/caller';
import { captureLog } from './support/company';
import { fallbackModule } from './support/fallbackModule';
import { Followed } from './support/followed';
import { probePlugin, type Probe } from './support/probe';

const PAYMENTS_API = { entityRef: 'component:default/payments-api' };
const COMPONENTS = '/api/catalog/entities/by-query?filter=kind=component';
const ROLE = 'Backstage.Admin';
const { olivia, dana, rita, adam, nina } = people;
const { scanner } = workloads;

const refOf = ({ oid }: User) => `user:default/${oid}`;
const permission = (name: string, action?: 'read' | 'update' | 'delete') => ({
  type: 'resource' as const,
  name,
  attributes: action ? { action } : {},
  resourceType: 'catalog-entity',
});
const REFRESH = permission('catalog.entity.refresh', 'update');

const log = captureLog();
const followed = new Followed();
const probe: Partial<Probe> = {};
let environment: Environment;
let client: Client;

function configure(config: Record<string, any>): void {
  const { entraAccess } = config;
  entraAccess.tenants[0].clients = [scanner.clientId];
  entraAccess.groups = followed.groups(config.backend.baseUrl);
  entraAccess.breakGlass = [{ name: 'night-shift', principal: `${HOME_TENANT_ID}/${rita.oid}`, reason: 'drill' }];
  entraAccess.policy = {
    rules: [
      { id: 'everyone-reads', effect: 'allow', permissions: ['catalog.entity.read'] },
      { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.*'], when: { owned: true } },
      { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
      { id: 'admins-by-role', effect: 'allow', permissions: ['*'], principals: [{ role: ROLE }] },
      {
        id: 'no-deleting-search',
        effect: 'deny',
        permissions: ['catalog.entity.delete'],
        principals: [{ group: groups.searchEngineers.id }],
      },
      {
        id: 'everyone-asks',
        effect: 'allow',
        permissions: ['entra-access.whoami.read', 'entra-access.decision.explain', 'entra-access.token.inspect'],
      },
    ],
  };
}

before(async () => {
  // What no rule of ours speaks about another policy allows: it must not be asked about somebody who is refused.
  const allowsAll = fallbackModule({ handle: async () => ({ result: AuthorizeResult.ALLOW }) });
  environment = await startEnvironment({
    configure,
    features: [callerPlugin, entraPermissionsServiceFactory, probePlugin(probe), followed.feature, allowsAll],
  });
  client = new Client(environment);
  const admin = new Client(environment);
  const byRole = () => environment.tenant.mintAccessToken(adam, { claims: { roles: [ROLE] } });
  await untilReady(admin, byRole);
  await followed.ready(environment);
});
after(async () => {
  await environment?.stop();
  log.restore();
});

const entraToken = (...[principal, options]: Parameters<Environment['tenant']['mintAccessToken']>) =>
  environment.tenant.mintAccessToken(principal, options);
/** Somebody who sees everything, and is not concerned */
const adminToken = () => client.tokenFor(entraToken(adam, { claims: { roles: [ROLE] } }));
const codeOf = ({ status, body }: Answer) => (status === 401 ? body.error?.code : status);

/** Every way in, with the token that it takes; what it answers somebody in force */
const routes: Array<{
  name: string;
  kind: 'entra' | 'backstage';
  ask: (token: string) => Promise<Answer>;
}> = (['entra', 'backstage'] as const).flatMap(kind => [
  { name: 'the catalog', kind, ask: token => client.call(COMPONENTS, token) },
  { name: 'a change', kind, ask: token => client.call('/api/catalog/refresh', token, PAYMENTS_API) },
  {
    name: 'the permission backend',
    kind,
    ask: token =>
      client.call('/api/permission/authorize', token, {
        items: [{ id: '1', permission: REFRESH, resourceRef: PAYMENTS_API.entityRef }],
      }),
  },
  { name: 'whoami', kind, ask: token => client.call('/api/entra-access/v1/whoami', token) },
  { name: 'explain', kind, ask: token => client.explain(token, 'catalog.entity.read') },
  {
    name: 'the token inspector',
    kind,
    ask: token => client.call('/api/entra-access/v1/tokens/inspect', token, { token }),
  },
  { name: 'status', kind, ask: token => client.call('/api/entra-access/v1/status', token) },
  {
    name: 'the audit trail',
    kind,
    ask: token => client.call('/api/entra-access/v1/audit/entries', token),
  },
  { name: 'a plugin that asks no policy', kind, ask: token => client.call('/api/caller/person', token) },
  {
    name: 'from plugin to plugin',
    kind,
    ask: token => client.call(`/api/caller/catalog${COMPONENTS.slice(12)}`, token),
  },
]);
routes.push({ name: 'the exchange', kind: 'entra', ask: token => client.signIn(token) });
routes.push({
  name: 'the exchange of direct calls',
  kind: 'entra',
  ask: async token => {
    const headers = { 'x-entra-access-direct': token };
    const response = await fetch(`${environment.backendUrl}/api/auth/entra/refresh`, { headers });
    return { status: response.status, body: await response.json() };
  },
});
routes.push({
  name: 'a cookie',
  kind: 'backstage',
  ask: async token => {
    const response = await fetch(`${environment.backendUrl}/api/caller/by-cookie`, {
      headers: { cookie: `backstage-auth=${await cookieFor(token)}` },
    });
    return { status: response.status, body: await response.json() };
  },
});

const cookies = new Map<string, string>();
/** Got while its owner was in force */
async function cookieFor(token: string): Promise<string> {
  const known = cookies.get(token);
  if (known) return known;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${environment.backendUrl}/api/caller/cookie`, { headers });
  const [line = ''] = response.headers.getSetCookie();
  const value = /^backstage-auth=([^;]+)/.exec(line)?.[1] ?? '';
  cookies.set(token, value);
  return value;
}

const disable = (who: User) => followed.change(environment, directory => directory.setEnabled(who.oid, false));
const enable = (who: User) => followed.change(environment, directory => directory.setEnabled(who.oid, true));
const remove = (who: User) => followed.change(environment, directory => directory.removeUser(who.oid));
const restore = (who: User) => followed.change(environment, directory => directory.restoreUser(who.oid));

/** What becomes of an account in Entra, and how it is undone */
const ends = [
  ['disabled', disable, enable],
  ['deleted', remove, restore],
] as const;

describe('while the tokens still count', () => {
  for (const [end, revoke, undo] of ends) {
    test(`${end}: refused on every route, and let in again when that is undone`, async () => {
      const tokens = { entra: entraToken(olivia), backstage: await client.tokenFor(entraToken(olivia)) };
      const answers = async () => {
        const all = await Promise.all(routes.map(({ kind, ask }) => ask(tokens[kind])));
        return Object.fromEntries(
          all.map((answer, at) => [`${routes[at]?.kind}: ${routes[at]?.name}`, codeOf(answer)]),
        );
      };
      const expected = (of: (route: (typeof routes)[number]) => unknown) =>
        Object.fromEntries(routes.map(route => [`${route.kind}: ${route.name}`, of(route)]));
      assert.deepEqual(
        await answers(),
        expected(() => 200),
      );
      await revoke(olivia);
      assert.deepEqual(
        await answers(),
        expected(() => 'principal_revoked'),
      );
      await undo(olivia);
      assert.deepEqual(
        await answers(),
        expected(() => 200),
      );
    });
  }

  test('a made-up Backstage token tells nothing of the account that it names, and is not written down as that person’s', async () => {
    const real = await client.tokenFor(entraToken(olivia));
    const [header, , signature] = real.split('.');
    const now = Math.floor(Date.now() / 1000);
    const madeUp = ({ oid }: { oid: string }, kept = header) => {
      const claims = { sub: `user:default/${oid}`, ent: [], aud: 'backstage', iat: now, exp: now + 3600 };
      return [kept, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    };
    const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
    const headers = [
      { typ: 'vnd.backstage.user', alg: 'none' },
      { typ: 'vnd.backstage.user', alg: 'ES256', kid: 'made-up' },
      { alg: 'ES256', kid },
    ].map(each => Buffer.from(JSON.stringify(each)).toString('base64url'));
    const recorded = async () => {
      const query = new URLSearchParams({ event: 'token-refused', limit: '1000' });
      const { body } = await client.call(`/api/entra-access/v1/audit/entries?${query}`, await adminToken());
      return body.items.length;
    };
    const nobody = { oid: 'ffffffff-0000-4000-8000-000000000000' };
    await disable(olivia);
    const before = await recorded();
    for (const kept of [header, ...headers]) {
      for (const { kind, ask, name } of routes.filter(
        route => route.kind === 'backstage' && route.name !== 'a cookie',
      )) {
        const answers = await Promise.all([olivia, dana, nobody].map(who => ask(madeUp(who, kept))));
        const [revoked, inForce, unknown] = answers.map(({ status, body }) => JSON.stringify([status, body.error]));
        assert.equal(answers[0]?.status, 401, `${kind} ${name}`);
        assert.deepEqual([revoked, unknown], [inForce, inForce], name);
      }
    }
    assert.equal(await recorded(), before);
    // The true one is told so, and written down.
    const { body } = await client.call(COMPONENTS, real);
    assert.equal(body.error.code, 'principal_revoked');
    assert.equal(await recorded(), before + 1);
    await enable(olivia);
  });

  test('what is asked without HTTP is denied, and no other policy is asked', async () => {
    const { auth, permissions } = probe as Probe;
    const token = await client.tokenFor(entraToken(olivia));
    const credentials: BackstageCredentials = await auth.authenticate(token);
    const unspoken = { type: 'basic' as const, name: 'scaffolder.x', attributes: {} };
    const ask = () =>
      permissions.authorize([{ permission: unspoken }, { permission: REFRESH, resourceRef: PAYMENTS_API.entityRef }], {
        credentials,
      });
    const results = async () => (await ask()).map(({ result }) => result);
    assert.deepEqual(await results(), ['ALLOW', 'ALLOW']);
    await disable(olivia);
    assert.deepEqual(await results(), ['DENY', 'DENY'], 'her credentials were verified before');
    await enable(olivia);
    assert.deepEqual(await results(), ['ALLOW', 'ALLOW']);
  });

  test('an agent is refused with the person for whom it acts', async () => {
    const agent = entraToken(agents.onBehalfOfOlivia);
    const backstage = await client.tokenFor(agent);
    await disable(olivia);
    for (const token of [agent, backstage])
      assert.equal(codeOf(await client.call(COMPONENTS, token)), 'principal_revoked');
    assert.equal((await client.call(COMPONENTS, entraToken(agents.onBehalfOfDana))).status, 200);
    await enable(olivia);
    assert.equal((await client.call(COMPONENTS, backstage)).status, 200);
  });

  test('applications and pipelines have no account, and nothing is refused them', async () => {
    await disable(olivia);
    assert.equal((await client.call(COMPONENTS, entraToken(scanner))).status, 200);
    const job = environment.tenant.ci.mint('gitlab-staging');
    assert.notEqual(codeOf(await client.call('/api/catalog/refresh', job, PAYMENTS_API)), 'principal_revoked');
    await enable(olivia);
  });

  test('signed out everywhere: whatever was issued before is refused, whatever comes later is not', async () => {
    const { tenant } = environment;
    const early = entraToken(nina, { now: tenant.clock() - 60 });
    const stolen = await client.tokenFor(early);
    const issued = tenant.clock();
    // Entra counts in seconds.
    while (tenant.clock() === issued) await new Promise(resolve => setTimeout(resolve, 50));
    await followed.change(environment, directory => directory.revokeSessions(nina.oid));
    for (const token of [early, stolen])
      assert.equal(codeOf(await client.call('/api/caller/person', token)), 'principal_revoked');
    const fresh = entraToken(nina);
    assert.equal((await client.call('/api/caller/person', fresh)).status, 200);
    const backstage = await client.tokenFor(fresh);
    assert.equal((await client.call('/api/caller/person', backstage)).status, 200);
    // She has signed in again: what was stolen before stays worthless.
    assert.equal(codeOf(await client.call('/api/caller/person', stolen)), 'principal_revoked');
    assert.equal(codeOf(await client.call('/api/caller/person', early)), 'principal_revoked');
  });

  test('the audit trail says who was refused and why, and an explanation tells an admin', async () => {
    const backstage = await client.tokenFor(entraToken(dana));
    await disable(dana);
    for (const token of [entraToken(dana), backstage]) await client.call(COMPONENTS, token);
    const admin = await adminToken();
    const entries = await client.call('/api/entra-access/v1/audit/entries?event=token-refused&limit=50', admin);
    const identity = `${HOME_TENANT_ID}/${dana.oid}`;
    const records = (entries.body.items as any[]).filter(record => record.identity === identity);
    assert.ok(records.length >= 2, JSON.stringify(entries.body).slice(0, 2000));
    for (const record of records) assert.deepEqual([record.result, record.code], ['DENY', 'principal_revoked']);
    assert.ok(
      records.some(record => record.principal === refOf(dana)),
      'by the Backstage token',
    );
    const { body } = await client.explain(admin, 'catalog.entity.read', undefined, refOf(dana));
    assert.deepEqual([body.result, body.rule], ['DENY', null]);
    assert.deepEqual(body.reasons, ['principal_revoked: the account is disabled in Entra']);
    const { body: status } = await client.call('/api/entra-access/v1/status', admin);
    assert.equal(status.entra.tenants[0].revoked, 1);
    await enable(dana);
  });
});

test('whoever leaves a group loses what hung on it, with the same tokens', async () => {
  const tokens = [entraToken(olivia), await client.tokenFor(entraToken(olivia))];
  const statuses = () =>
    Promise.all(tokens.map(async token => (await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status));
  assert.deepEqual(await statuses(), [200, 200]);
  const { id } = groups.paymentsEngineers;
  await followed.change(environment, directory => directory.removeMember(id, olivia.oid));
  assert.deepEqual(await statuses(), [403, 403], 'her token still lists the group');
  const { body: me } = await client.call('/api/entra-access/v1/whoami', tokens[1]);
  assert.deepEqual([me.groups, me.owners], [{ state: 'known', count: 0 }, [refOf(olivia)]]);
  await followed.change(environment, directory => directory.addMember(id, olivia.oid));
  assert.deepEqual(await statuses(), [200, 200]);
});

test('a token that leaves groups out needs none: the directory has them', async () => {
  const without = entraToken(olivia, { claims: { groups: undefined } });
  assert.equal((await client.call('/api/catalog/refresh', without, PAYMENTS_API)).status, 200);
});

describe('while nothing is known that is new enough', () => {
  before(() => followed.completedAt(Math.floor(Date.now() / 1000) - 121));

  test('groups are unknown: what needs them is refused, what is denied stays denied, who needs none goes on', async () => {
    const statusOf = async (principal: User, claims = {}) =>
      (await client.call('/api/catalog/refresh', entraToken(principal, { claims }), PAYMENTS_API)).status;
    assert.equal(await statusOf(olivia), 403, 'the owner');
    assert.equal(await statusOf(adam), 403, 'an admin by group');
    assert.equal(await statusOf(dana, { roles: [ROLE] }), 200, 'an admin by role');
    assert.equal((await client.call(COMPONENTS, entraToken(olivia))).status, 200, 'everybody reads');
    const { body } = await client.explain(entraToken(dana, { claims: { roles: [ROLE] } }), 'catalog.entity.delete');
    assert.deepEqual([body.result, body.rule], ['DENY', 'no-deleting-search'], 'she may be one of them');
    const { body: me } = await client.call('/api/entra-access/v1/whoami', entraToken(olivia));
    assert.equal(me.groups.state, 'unknown');
    assert.match(me.groups.reason, /^groups_unknown: what is known of the tenant is older than/);
  });

  test('break-glass: one person is let in by name, and everybody hears of it', async () => {
    const token = await client.tokenFor(entraToken(rita));
    assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 200);
    const { body: explained } = await client.explain(token, 'catalog.entity.refresh');
    assert.match(explained.reasons[0], /^break_glass: /);
    const admin = await adminToken();
    const { body: status } = await client.call('/api/entra-access/v1/status', admin);
    const [tenant] = status.entra.tenants;
    assert.equal(tenant.stale, true);
    assert.ok(tenant.ageSeconds >= 121);
    const [entry] = status.entra.breakGlass;
    assert.equal(entry.name, 'night-shift');
    assert.ok(entry.uses >= 1 && entry.lastUse);
    const { body } = await client.call(
      `/api/entra-access/v1/audit/entries?principal=${encodeURIComponent(refOf(rita))}&event=decision`,
      admin,
    );
    const used = (body.items as any[]).find(record => record.code === 'break_glass');
    assert.deepEqual([used?.result, used?.reasons], ['ALLOW', ['break_glass: entry `night-shift`: drill']]);
    assert.match(log.text(), /break-glass entry night-shift allows catalog\.entity\.refresh/);
    await disable(rita);
    assert.equal(codeOf(await client.call('/api/catalog/refresh', token, PAYMENTS_API)), 'principal_revoked');
    await enable(rita);
  });
});

test('break-glass ends when the directory is known again', async () => {
  const token = await client.tokenFor(entraToken(rita));
  assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 403);
});
