/** What the catalog's database finds by our conditions is what they allow one by one: a generated catalog in a real backend */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { mulberry32 } from '../dev/mulberry32';
import { Client } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { groups, people } from '../dev/tenant/people';
import { SERVICE_TOKEN } from './support/company';
import { until } from './support/replicas';
import './support/conforms';

const [TEAMS, COMPONENTS, CALLERS] = [25, 90, 12];
const AUDITORS = [{ group: groups.fabrikamStaff.id }];
const RULES = [
  { id: 'owners-read', effect: 'allow', permissions: ['catalog.entity.read'], when: { owned: true } },
  { id: 'auditors-read', effect: 'allow', permissions: ['catalog.entity.read'], principals: AUDITORS },
  {
    id: 'auditors-not-their-own',
    effect: 'deny',
    permissions: ['catalog.entity.read'],
    principals: AUDITORS,
    when: { anyOf: [{ owned: true }, { rule: 'HAS_LABEL', params: { label: 'frozen' } }] },
  },
];

const next = mulberry32(5);
const chance = (percent: number) => next() % 100 < percent;
const teamName = (at: number) => `Team-${at}`;
const groupId = (at: number) => `7ea00000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
const component = (at: number) => `component-${at}`;

/** Nested teams, some without an Entra group; components of teams, of people, and of teams that nobody has heard of */
function entities(): object[] {
  const teams = Array.from({ length: TEAMS }, (_, at) => ({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Group',
    metadata: {
      name: teamName(at),
      ...(chance(80) ? { annotations: { 'graph.microsoft.com/group-id': groupId(at) } } : {}),
    },
    spec: { type: 'team', children: [], ...(at > 0 && chance(40) ? { parent: teamName(next() % at) } : {}) },
  }));
  const owner = () => {
    if (chance(10)) return `user:default/${people.dana.oid}`;
    return chance(10) ? 'group:default/unheard-of' : teamName(next() % TEAMS);
  };
  const components = Array.from({ length: COMPONENTS }, (_, at) => ({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: component(at), ...(chance(20) ? { labels: { frozen: 'yes' } } : {}) },
    spec: { type: 'service', lifecycle: 'production', owner: owner() },
  }));
  return [...teams, ...components];
}

let folder: string;
let environment: Environment;
let client: Client;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-agreement-'));
  const target = join(folder, 'all.yaml');
  writeFileSync(
    target,
    entities()
      .map(each => stringify(each))
      .join('\n---\n'),
  );
  environment = await startEnvironment({
    logLevel: 'error',
    configure(config) {
      config.catalog.locations = [{ type: 'file', target }];
      config.entraAccess.policy = { rules: RULES };
      config.backend.auth = {
        externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } }],
      };
    },
  });
  client = new Client(environment);
  await until('the catalog is filled', async () => {
    for (const [kind, count] of Object.entries({ component: COMPONENTS, group: TEAMS })) {
      const query = `/api/catalog/entities/by-query?filter=kind=${kind}&limit=0`;
      assert.equal((await client.call(query, SERVICE_TOKEN)).body.totalItems, count);
    }
  });
  await until('so is the directory', async () => {
    // Hers by name: the last that becomes known is who owns something.
    assert.ok((await listed(await signIn([]))).length > 0);
    const all = Array.from({ length: TEAMS }, (_, at) => groupId(at));
    assert.ok((await listed(await signIn(all))).length > COMPONENTS / 2);
  });
});
after(async () => {
  await environment?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const signIn = (ids: string[]) =>
  client.tokenFor(environment.tenant.mintAccessToken(people.dana, { claims: { groups: ids } }));

/** By the database: `toQuery` */
async function listed(token: string): Promise<string[]> {
  const query = `/api/catalog/entities/by-query?filter=kind=component&fields=metadata.name&limit=${COMPONENTS}`;
  const { status, body } = await client.call(query, token);
  assert.equal(status, 200, JSON.stringify(body));
  const names = (body.items as Array<{ metadata: { name: string } }>).map(({ metadata }) => metadata.name).sort();
  assert.equal(body.totalItems, names.length);
  return names;
}

/** One by one: `apply` */
async function allowed(token: string): Promise<string[]> {
  const attributes = { action: 'read' };
  const permission = { type: 'resource', name: 'catalog.entity.read', attributes, resourceType: 'catalog-entity' };
  const items = Array.from({ length: COMPONENTS }, (_, at) => ({
    id: component(at),
    permission,
    resourceRef: `component:default/${component(at)}`,
  }));
  const { status, body } = await client.call('/api/permission/authorize', token, { items });
  assert.equal(status, 200, JSON.stringify(body));
  const answers = body.items as Array<{ id: string; result: string }>;
  return answers
    .filter(({ result }) => result === 'ALLOW')
    .map(({ id }) => id)
    .sort();
}

test(`${CALLERS} callers see in lists what they are allowed one by one, owners and those who must not own`, async () => {
  let some = 0;
  for (let caller = 0; caller < CALLERS; caller += 1) {
    const own = Array.from({ length: TEAMS }, (_, at) => groupId(at)).filter(() => chance(5 + caller * 5));
    for (const ids of [own, [...own, groups.fabrikamStaff.id]]) {
      const token = await signIn(ids);
      const [byQuery, byOne] = [await listed(token), await allowed(token)];
      assert.deepEqual(byQuery, byOne, JSON.stringify(ids));
      if (byQuery.length > 0 && byQuery.length < COMPONENTS) some += 1;
    }
  }
  assert.ok(some > CALLERS, `${some} of the lists were neither empty nor full`);
});
