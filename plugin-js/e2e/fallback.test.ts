/** A home-made policy beside ours in a real backend: asked where no rule speaks, and by nobody else's leave */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import type { PermissionPolicy } from '@backstage/plugin-permission-node';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import { entraPermissionsServiceFactory } from '../src/inProcess';
import { captureLog } from './support/company';
import { fallbackModule } from './support/fallbackModule';
import { otherProvider, otherToken, outcome, probePlugin, type Probe } from './support/probe';
import { calls } from './support/questions';
import { shelfPlugin } from './support/shelf';
import './support/conforms';

const SEED = 18_110_024;
const CALLS = 40;
const ELSEWHERE = 'user:default/elsewhere';
const OLIVIA = `user:default/${people.olivia.oid}`;
const RULES = [
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'owners', effect: 'allow', permissions: ['catalog.*'], actions: ['update', 'delete'], when: { owned: true } },
  {
    id: 'strong',
    effect: 'allow',
    permissions: ['catalog.entity.create'],
    principals: [{ kind: 'user' }],
    requires: { authContext: 'c1' },
  },
  { id: 'no-agents', effect: 'deny', permissions: ['shelf.*'], principals: [{ kind: 'agent' }] },
  { id: 'asks', effect: 'allow', permissions: ['entra-access.decision.explain', 'entra-access.whoami.read'] },
];

/** Books of travel to everybody, and everything to nobody; it needs what Backstage tells about the user */
const homeMade: PermissionPolicy = {
  async handle({ permission }, user) {
    if (permission.name === 'nobody.thing.use') throw new Error(`cannot think about ${user?.info.userEntityRef}`);
    if (permission.name === 'catalog.entity.read') {
      return user?.info.ownershipEntityRefs.includes(ELSEWHERE)
        ? { result: AuthorizeResult.ALLOW }
        : { result: AuthorizeResult.DENY };
    }
    if (permission.name !== 'shelf.book.read') return { result: AuthorizeResult.DENY };
    return {
      result: AuthorizeResult.CONDITIONAL,
      pluginId: 'shelf',
      resourceType: 'shelf-book',
      conditions: { rule: 'HAS_GENRE', resourceType: 'shelf-book', params: { genre: 'travel' } },
    };
  },
};

function configure(config: Record<string, any>): void {
  config.auth.providers.other = {};
  config.entraAccess.policy = { rules: RULES };
}

let environment: Environment;
let client: Client;
let log: ReturnType<typeof captureLog>;
const probe = {} as Probe;

before(async () => {
  log = captureLog();
  environment = await startEnvironment({
    configure,
    features: [
      fallbackModule(homeMade),
      entraPermissionsServiceFactory,
      probePlugin(probe),
      shelfPlugin,
      otherProvider,
    ],
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(async () => {
  await environment?.stop();
  log.restore();
});

const entraToken = (who: Principal, claims = {}) => environment.tenant.mintAccessToken(who, { claims });
const tokenOf = (who: Principal, claims = {}) => client.tokenFor(entraToken(who, claims));
const books = async (token: string) => (await client.call('/api/shelf/books', token)).body;

test('it decides what no rule speaks about, with conditions of its own', async () => {
  assert.deepEqual(await books(await tokenOf(people.olivia)), ['atlas']);
  assert.deepEqual(await books(entraToken(people.olivia)), ['atlas'], 'directly');
  const { body } = await client.explain(await tokenOf(people.olivia), 'shelf.book.read');
  assert.equal(body.fallback, true);
});

test('it is not asked where a rule of ours has spoken', async () => {
  assert.deepEqual(await books(await tokenOf(people.adam)), ['atlas', 'ledger', 'novel'], 'allowed by us');
  assert.deepEqual(await books(await tokenOf(agents.onBehalfOfOlivia)), [], 'denied by us');
});

test('it decides for whoever signed in elsewhere', async () => {
  const token = await otherToken(environment.backendUrl, ELSEWHERE);
  assert.deepEqual(await books(token), ['atlas']);
  const seen = await client.call('/api/catalog/entities/by-query?filter=kind=component', token);
  assert.ok(seen.body.totalItems >= 3, JSON.stringify(seen.body));
  const asked = await client.call('/api/entra-access/v1/whoami', token);
  assert.equal(asked.status, 403, 'it denies the rest');
});

test('its failure is a refusal, and the log says why', async () => {
  const permission = { type: 'basic', name: 'nobody.thing.use', attributes: {} };
  const { body } = await client.call('/api/permission/authorize', await tokenOf(people.olivia), {
    items: [{ id: '1', permission }],
  });
  assert.equal(body.items[0].result, 'DENY');
  assert.match(log.text(), /nobody\.thing\.use is denied: the fallback policy failed \(Error\)/);
  assert.ok(!log.text().includes(`cannot think about ${OLIVIA}`));
});

test('without HTTP every answer is the same, its own included', async () => {
  const { auth } = probe;
  const credentials: Record<string, BackstageCredentials> = {
    owner: await auth.authenticate(await tokenOf(people.olivia)),
    strong: await auth.authenticate(await tokenOf(people.nina, { acrs: ['c1'] })),
    admin: await auth.authenticate(entraToken(people.adam)),
    agent: await auth.authenticate(entraToken(agents.onBehalfOfDana)),
    'groups unknown': await auth.authenticate(await tokenOf(people.otto, { groups: undefined, hasgroups: true })),
    elsewhere: await auth.authenticate(await otherToken(environment.backendUrl, ELSEWHERE)),
  };
  const seen: Record<string, number> = {};
  for (const [name, one] of Object.entries(credentials)) {
    const call = calls(SEED);
    for (let at = 0; at < CALLS; at += 1) {
      const { method, queries } = call();
      const [ours, stock] = await Promise.all(
        [probe.permissions, probe.stock].map(service =>
          outcome(service[method](structuredClone(queries), { credentials: one })),
        ),
      );
      assert.deepEqual(ours, stock, `${name}, call ${at} of seed ${SEED}: ${method} ${JSON.stringify(queries)}`);
      const results = Array.isArray(ours) ? ours.map(({ result }) => result) : ['error'];
      for (const result of results) seen[result] = (seen[result] ?? 0) + 1;
    }
  }
  for (const kind of ['ALLOW', 'DENY', 'CONDITIONAL', 'error']) assert.ok((seen[kind] ?? 0) > 20, JSON.stringify(seen));
});

test('a second one keeps the backend from starting', async () => {
  const script = join(__dirname, 'support', 'twoFallbacks.ts');
  const start = (...modules: string[]) =>
    new Promise<string>(resolve => {
      const args = ['--import', 'tsx', script, ...modules];
      const env = { ...process.env, LOG_LEVEL: 'error', NODE_TEST_CONTEXT: undefined };
      execFile(process.execPath, args, { env, timeout: 60_000 }, (_error, output) => resolve(output));
    });
  const [one, two] = await Promise.all([start('one'), start('one', 'two')]);
  assert.match(one, /^started$/m);
  assert.match(two, /a fallback policy is set already/);
  assert.doesNotMatch(two, /^started$/m);
});
