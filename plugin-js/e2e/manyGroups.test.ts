/** Many groups and many entities in one request: Backstage's own rule beside ours, on the same catalog and with the same sign-in */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createBackendModule } from '@backstage/backend-plugin-api';
import { catalogConditions, createCatalogConditionalDecision } from '@backstage/plugin-catalog-backend/alpha';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { stringify } from 'yaml';
import { Client, type Answer } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { groups, people } from '../dev/tenant/people';
import { authModuleEntraProvider, catalogModuleEntraRules, directCallsServiceFactory, entraAccessPlugin } from '../src';
import { SERVICE_TOKEN, teamGroup } from './support/company';
import { until } from './support/replicas';
import './support/conforms';

/** All of them own something */
const TEAMS = 150;
const BATCH = 25;
const names = Array.from({ length: TEAMS }, (_, at) => `team-number-${at}-of-the-company`);

/** As Backstage's documentation has it: owners by the refs of their sign-in */
const stockPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'stock-policy',
  register(env) {
    env.registerInit({
      deps: { policy: policyExtensionPoint },
      async init({ policy }) {
        policy.setPolicy({
          async handle({ permission }: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
            if (!isResourcePermission(permission, 'catalog-entity')) return { result: AuthorizeResult.ALLOW };
            const claims = user?.info.ownershipEntityRefs ?? [];
            return createCatalogConditionalDecision(permission, catalogConditions.isEntityOwner({ claims }));
          },
        });
      },
    });
  },
});

const RULES = [
  { id: 'owners', effect: 'allow', permissions: ['catalog.entity.*'], when: { owned: true } },
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
];

let folder: string;
let services: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-many-'));
  services = join(folder, 'services.yaml');
  const entities = names.map(name => ({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: { type: 'service', lifecycle: 'production', owner: `group:default/${name}` },
  }));
  writeFileSync(services, entities.map(entity => stringify(entity)).join('\n---\n'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function configure(config: Record<string, any>): void {
  config.backend.auth = {
    externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } }],
  };
  config.catalog.locations = [{ type: 'file', target: services }];
  config.entraAccess.policy = { rules: RULES };
  config.entraAccess.groups = {
    mapping: names.map((name, at) => ({ group: teamGroup(at), owner: `group:default/${name}` })),
  };
}

/** Somebody in so many of the groups, when the catalog has read its files and all owners are known */
async function signIn({ tenant }: Environment, client: Client, count: number): Promise<string> {
  const ids = Array.from({ length: count }, (_, at) => teamGroup(at));
  let token = '';
  await until('all owners are known', async () => {
    const found = await client.call('/api/catalog/entity-facets?facet=relations.ownedBy', SERVICE_TOKEN);
    assert.equal(found.body.facets['relations.ownedBy'].length, TEAMS);
    token = await client.tokenFor(tenant.mintAccessToken(people.dana, { claims: { groups: ids } }));
    const { body } = await client.call('/api/auth/v1/userinfo', token);
    assert.equal(body.claims.ent.length, count + 1, 'their own ref, and what of the groups owns something');
  });
  return token;
}

/** Asks about many entities in one request, as the software catalog's pages and the search do */
function authorize(client: Client, token: string): Promise<Answer> {
  const attributes = { action: 'update' };
  const permission = { type: 'resource', name: 'catalog.entity.refresh', attributes, resourceType: 'catalog-entity' };
  const items = names.slice(0, BATCH).map(name => ({ id: name, permission, resourceRef: `component:default/${name}` }));
  return client.call('/api/permission/authorize', token, { items });
}

const results = ({ body }: Answer) => (body.items as Array<{ result: string }>).map(({ result }) => result);
const ALL_ALLOWED = Array<string>(BATCH).fill('ALLOW');

test(`Backstage's own rule carries the groups: ${TEAMS} of them and ${BATCH} entities are too large`, async () => {
  const access = [authModuleEntraProvider, entraAccessPlugin, directCallsServiceFactory, catalogModuleEntraRules];
  const environment = await startEnvironment({ configure, access: [...access, stockPolicy], logLevel: 'error' });
  try {
    const client = new Client(environment);
    const few = await authorize(client, await signIn(environment, client, 30));
    assert.equal(few.status, 200, JSON.stringify(few.body));
    assert.deepEqual(results(few), ALL_ALLOWED, 'so the policy as such does what it should');
    const many = await authorize(client, await signIn(environment, client, TEAMS));
    assert.equal(many.status, 413, JSON.stringify(many.body));
  } finally {
    await environment.stop();
  }
});

test(`ours names the principal: ${TEAMS} groups and ${BATCH} entities are answered`, async () => {
  const environment = await startEnvironment({ configure, logLevel: 'error' });
  try {
    const client = new Client(environment);
    const token = await signIn(environment, client, TEAMS);
    const many = await authorize(client, token);
    assert.equal(many.status, 200, JSON.stringify(many.body));
    assert.deepEqual(results(many), ALL_ALLOWED);
    const { body } = await client.call('/api/catalog/entities/by-query?filter=kind=component&limit=0', token);
    assert.equal(body.totalItems, TEAMS);
  } finally {
    await environment.stop();
  }
});
