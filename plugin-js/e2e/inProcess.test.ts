/** The permissions service without HTTP beside Backstage's own, in one real backend: every answer must be the same */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { workloads } from '../dev/tenant/applications';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import { entraPermissionsServiceFactory } from '../src/inProcess';
import { countAuthorizeCalls, otherProvider, otherToken, outcome, probePlugin, type Probe } from './support/probe';
import { calls, PERMISSIONS } from './support/questions';
import { shelfPlugin } from './support/shelf';
import './support/conforms';

const SEED = 20_261_124;
/** For each of the callers */
const CALLS = 40;
const SERVICES = { unrestricted: 'a'.repeat(40), named: 'b'.repeat(40), reading: 'c'.repeat(40), both: 'd'.repeat(40) };
const OVERAGE = { groups: undefined, hasgroups: true };

const RULES = [
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'reads', effect: 'allow', permissions: ['catalog.entity.read', 'catalog.location.read'] },
  { id: 'owners', effect: 'allow', permissions: ['catalog.*'], actions: ['update', 'delete'], when: { owned: true } },
  {
    id: 'books',
    effect: 'allow',
    permissions: ['shelf.*'],
    when: { not: { rule: 'HAS_GENRE', params: { genre: 'finance' } } },
  },
  { id: 'no-agents', effect: 'deny', permissions: ['*'], actions: ['delete'], principals: [{ kind: 'agent' }] },
  {
    id: 'dana-not-her-own',
    effect: 'deny',
    permissions: ['catalog.entity.read'],
    principals: [{ user: `${people.dana.tenantId}/${people.dana.oid}` }],
    when: { owned: true },
  },
];

let environment: Environment;
let client: Client;
const probe = {} as Probe;
const credentials = new Map<string, BackstageCredentials>();

before(async () => {
  const external = (token: string, restriction?: object) => ({
    type: 'static',
    options: { token, subject: `service-${token[0]}` },
    ...(restriction ? { accessRestrictions: [{ plugin: 'probe', ...restriction }] } : {}),
  });
  environment = await startEnvironment({
    configure(config) {
      config.entraAccess.tenants[0].clients = [workloads.scanner.clientId];
      config.auth.providers.other = {};
      config.entraAccess.policy = { rules: RULES };
      config.backend.auth = {
        externalAccess: [
          external(SERVICES.unrestricted),
          external(SERVICES.named, { permission: 'catalog.entity.read, catalog.entity.create' }),
          external(SERVICES.reading, { permissionAttribute: { action: 'read' } }),
          external(SERVICES.both, {
            permission: ['catalog.entity.read', 'nobody.thing.use'],
            permissionAttribute: { action: ['read', 'create'] },
          }),
        ],
      };
    },
    features: [entraPermissionsServiceFactory, probePlugin(probe), shelfPlugin, otherProvider],
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  await everybody();
});
after(() => environment?.stop());

/** All kinds of callers, and credentials that are not what they say */
async function everybody(): Promise<void> {
  const { auth } = probe;
  const entra = (who: Principal, claims = {}) => environment.tenant.mintAccessToken(who, { claims });
  const put = (name: string, one: BackstageCredentials) => credentials.set(name, one);
  const signedIn = async (who: Principal, claims = {}) => auth.authenticate(await client.tokenFor(entra(who, claims)));

  put('owner', await signedIn(people.olivia));
  put('developer', await signedIn(people.dana));
  put('admin, directly', await auth.authenticate(entra(people.adam)));
  put('owner, directly', await auth.authenticate(entra(people.nina)));
  put('groups unknown', await signedIn(people.otto, OVERAGE));
  put('agent', await auth.authenticate(entra(agents.onBehalfOfOlivia)));
  put('agent user', await signedIn(agents.agentUser));
  put('workload', await auth.authenticate(entra(workloads.scanner)));
  put(
    'signed in elsewhere',
    await auth.authenticate(await otherToken(environment.backendUrl, 'user:default/elsewhere')),
  );
  put('none', await auth.getNoneCredentials());
  put('own service', await auth.getOwnServiceCredentials());
  for (const [name, token] of Object.entries(SERVICES)) put(`service, ${name}`, await auth.authenticate(token));

  const owner = credentials.get('owner') as any;
  const { token: limited } = await auth.getLimitedUserToken(owner);
  put('limited', await auth.authenticate(limited, { allowLimitedAccess: true }));
  put('as the scaffolder stores them', JSON.parse(JSON.stringify({ ...owner, token: owner.token })));
  const changed = (members: object) => ({ ...owner, token: owner.token, ...members });
  put('another name', changed({ principal: { type: 'user', userEntityRef: `user:default/${people.adam.oid}` } }));
  put('a broken token', changed({ token: `${owner.token.slice(0, -6)}AAAAAA` }));
  const [header, , signature] = owner.token.split('.');
  const { uip: _, ...payload } = JSON.parse(Buffer.from(owner.token.split('.')[1], 'base64url').toString());
  const named = Buffer.from(JSON.stringify({ ...payload, sub: `user:default/${people.adam.oid}` })).toString(
    'base64url',
  );
  put('a token with another name', changed({ token: [header, named, signature].join('.') }));
  put('no token', changed({ token: undefined }));
  put('an Entra token in its place', changed({ token: entra(people.adam) }));
  put('another version', changed({ version: 'v9' }));
}

test('every answer is that of the stock service, for every caller and any question', async () => {
  let compared = 0;
  const seen = { ALLOW: 0, DENY: 0, CONDITIONAL: 0, error: 0 };
  for (const [name, one] of credentials) {
    const call = calls(SEED);
    for (let at = 0; at < CALLS; at += 1) {
      const { method, queries } = call();
      const options = { credentials: one };
      const [ours, stock] = await Promise.all(
        [probe.permissions, probe.stock].map(service => outcome(service[method](structuredClone(queries), options))),
      );
      assert.deepEqual(ours, stock, `${name}, call ${at} of seed ${SEED}: ${method} ${JSON.stringify(queries)}`);
      compared += 1;
      if (!Array.isArray(ours)) seen.error += 1;
      else for (const { result } of ours) seen[result as 'ALLOW'] += 1;
    }
  }
  assert.equal(compared, credentials.size * CALLS);
  // Comparing refusals alone would prove nothing.
  assert.ok(
    Object.values(seen).every(count => count > 100),
    JSON.stringify(seen),
  );
});

test('without credentials, with a bare token, or with none at all', async () => {
  const token = await client.tokenFor(environment.tenant.mintAccessToken(people.olivia));
  const queries = [{ permission: PERMISSIONS[0]!, resourceRef: 'component:default/payments-api' }];
  for (const options of [undefined, {}, { token: 'nonsense' }, { token }] as any[]) {
    const [ours, stock] = await Promise.all(
      [probe.permissions, probe.stock].map(service => outcome(service.authorize(queries as any, options))),
    );
    assert.deepEqual(ours, stock, JSON.stringify(options));
  }
});

test('nothing goes over HTTP but what another plugin has to apply', async () => {
  const owner = { credentials: credentials.get('owner')! };
  const [read, , remove, create] = PERMISSIONS as any[];
  const counted = async (ask: (service: PermissionsService) => Promise<unknown>) => {
    const counter = countAuthorizeCalls();
    await ask(probe.permissions);
    counter.stop();
    return counter.count();
  };
  const all = [read, remove, create].map(permission => ({ permission }));
  assert.equal(await counted(service => service.authorizeConditional(all, owner)), 0);
  assert.equal(await counted(service => service.authorize([{ permission: create }], owner)), 0);
  const allowed = [{ permission: read, resourceRef: 'component:default/search-api' }];
  assert.equal(await counted(service => service.authorize(allowed, owner)), 0);
  const conditional = [...allowed, { permission: remove, resourceRef: 'component:default/payments-api' }];
  assert.equal(await counted(service => service.authorize(conditional, owner)), 1);
  const answers = await probe.permissions.authorize(conditional, owner);
  assert.deepEqual(
    answers.map(({ result }) => result),
    ['ALLOW', 'ALLOW'],
  );
  // The counter counts.
  const counter = countAuthorizeCalls();
  await probe.stock.authorizeConditional(all, owner);
  counter.stop();
  assert.equal(counter.count(), 1);
});

test('an answer belongs to whoever asked, and can be changed', async () => {
  const owner = { credentials: credentials.get('owner')! };
  const ask = async (at: number) =>
    (await probe.permissions.authorizeConditional([{ permission: PERMISSIONS[at] as any }], owner))[0] as any;
  for (const at of [0, 2, 4]) {
    const first = await ask(at);
    const before = structuredClone(first);
    first.result = 'ALLOW';
    if (first.conditions) first.conditions.anything = 1;
    assert.deepEqual(await ask(at), before);
  }
});

test('plugins of the backend answer as before', async () => {
  const token = await client.tokenFor(environment.tenant.mintAccessToken(people.dana));
  const { body } = await client.call('/api/shelf/books', token);
  assert.deepEqual(body, ['atlas', 'novel']);
  const counter = countAuthorizeCalls();
  const { status } = await client.call('/api/catalog/entities/by-query?filter=kind=component', token);
  counter.stop();
  assert.deepEqual([status, counter.count()], [200, 0]);
});
