/** What the command answers is what a backend answers: the same question through Backstage's policy and conditions */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BackstageUserPrincipal } from '@backstage/backend-plugin-api';
import type { Entity } from '@backstage/catalog-model';
import { permissionRules } from '@backstage/plugin-catalog-backend/alpha';
import { catalogPermissions } from '@backstage/plugin-catalog-common/alpha';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer, type PolicyQueryUser } from '@backstage/plugin-permission-node';
import { FROM_ENTRA } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { catalogGroup } from '../access/directory';
import { createOwnershipRules } from '../catalog/ownershipRules';
import type { Principal } from '../core';
import { EntraPermissionPolicy, permissionInput } from '../permission/policy';
import { EntraAccess } from '../service/entraAccess';
import { parsePolicy } from '../service/policyText';
import { Place, readText } from './documents';
import { readPrincipal } from './principals';
import { decide } from './question';
import { World } from './world';

const ROOT = join(__dirname, '../../..');
const POLICY = join(ROOT, 'entra-access-policy.example.yaml');
const CATALOG = join(ROOT, 'entra-access-policy.example.catalog.yaml');
const TENANT = '11111111-2222-3333-4444-555555555555';
const IDS = { team: '72b0e5f4-9a1d-4c6e-a835-d2f94b6c0e17', admins: '33333333-4444-5555-6666-777777777777' };
const NOW = Math.floor(Date.now() / 1000);

/** Every kind of caller that the policy tells apart, with every state of groups */
const CALLERS = [[IDS.team], [IDS.admins], [IDS.team, IDS.admins], [], 'unknown', 'none'].flatMap((groups, at) =>
  [
    { kind: 'user' },
    { kind: 'user', assurance: { authContexts: ['c1'], signedInAgo: '1h' } },
    { kind: 'workload' },
    { kind: 'agent', actor: { clientId: IDS.team } },
    { kind: 'agent', actor: { clientId: IDS.team, autonomous: true } },
  ].map((more, kind) => ({
    ...more,
    groups,
    tenantId: TENANT,
    objectId: `00000000-0000-0000-0000-0000000000${at}${kind}`,
  })),
);

const described = (caller: object) => readPrincipal({ value: caller, place: new Place('caller') }, NOW);

let entraAccess: EntraAccess;
let policy: EntraPermissionPolicy;
let world: World;
before(async () => {
  world = await World.open({ policy: POLICY, config: [], catalog: [CATALOG] }, CALLERS.map(described), NOW);
  const json = JSON.stringify({ tenants: [{ tenantId: TENANT, audiences: ['api://backstage'] }], policy: {} });
  entraAccess = new EntraAccess({ json, policy: parsePolicy(readText(POLICY), POLICY) }, new RecordingLogger());
  policy = new EntraPermissionPolicy(entraAccess);
  const all = [...world.entities.values()].map(({ entity }) => entity);
  const groups = all.filter(({ kind }) => kind === 'Group').map(group => ({ ...catalogGroup(group), ...FROM_ENTRA }));
  assert.ok(entraAccess.core.setDirectory({ groups }).ok);
});
after(() => {
  world.close();
  entraAccess.close();
});

test('each caller is answered alike about each permission and entity', async () => {
  const rules = [...Object.values(permissionRules), ...createOwnershipRules(entraAccess)];
  const authorize = createConditionAuthorizer<Entity, any>(rules as any);
  const counts = { ALLOW: 0, DENY: 0, CONDITIONAL: 0 };
  for (const caller of CALLERS) {
    const signedIn = world.signIn(described(caller));
    const { record } = described(caller);
    assert.ok(entraAccess.sessions.open(signedIn.entityRef, record as unknown as Principal, NOW + 3600));
    const principal = { type: 'user', userEntityRef: signedIn.entityRef } as BackstageUserPrincipal;
    const user = { credentials: { principal } } as unknown as PolicyQueryUser;
    for (const permission of catalogPermissions) {
      const question = { caller: signedIn, permission: permissionInput(permission), place: new Place('question') };
      const label = JSON.stringify([caller, permission.name]);
      const answer = await policy.handle({ permission }, user);
      const { explanation } = decide(world, question);
      assert.equal(AuthorizeResult[explanation.result], answer.result, label);
      counts[explanation.result] += 1;
      if (permission.type !== 'resource') continue;
      for (const entity of world.entities.values()) {
        const here = decide(world, { ...question, entity }).explanation;
        assert.equal(here.result === 'ALLOW', authorize(answer, entity.entity), `${label} ${entity.entityRef}`);
        assert.notEqual(here.result, 'CONDITIONAL');
      }
    }
  }
  for (const [result, count] of Object.entries(counts)) assert.ok(count > 10, `${result}: ${count}`);
});
