/** Who says whether an entity is somebody's: Backstage's own rule, ours, and a Set made for this very purpose. */
import assert from 'node:assert/strict';
import type { Entity } from '@backstage/catalog-model';
import { permissionRules } from '@backstage/plugin-catalog-backend/alpha';
import { AuthorizeResult, type PolicyDecision } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer, type PermissionRule } from '@backstage/plugin-permission-node';
import type { PermissionRuleParams } from '@backstage/plugin-permission-common';
import type * as Rules from '../../../plugin-js/src/catalog/ownershipRules';
import type { EntraAccess } from '../../../plugin-js/src/service/entraAccess';
import type { Case } from '../../harness';
import { IN_A_DAY, makeEntraAccess, personOf, published } from '../published';
import { isOwned, type Owner, type OwnershipScene } from './scene';

type Rule = PermissionRule<Entity, any, 'catalog-entity', PermissionRuleParams>;

/** Entities in one go: one is shorter than the loop that measures it */
const IN_ONE_GO = 16;

/** A rule of the catalog and what it is asked with */
export interface Asked {
  name: string;
  rule: Rule;
  params: PermissionRuleParams;
}

export function stockRule({ claims }: Owner): Asked {
  return { name: 'IS_ENTITY_OWNER', rule: permissionRules.isEntityOwner as unknown as Rule, params: { claims } };
}

/** A plugin whose directory has all teams; whoever signs in with groups owns what the teams of these groups own */
export function loadedPlugin({ teams, groups }: OwnershipScene): EntraAccess {
  const entraAccess = makeEntraAccess([]);
  const provider = 'msgraph:bench/1';
  const outcome = entraAccess.core.setDirectory({
    groups: teams.map((entityRef, at) => ({ entityRef, groupId: groups[at], location: provider, origin: provider })),
    owners: teams,
  });
  assert.ok(outcome.ok && outcome.value.problems.length === 0);
  return entraAccess;
}

export function ourRule(entraAccess: EntraAccess, { objectId, groups }: Owner): Asked {
  const principal = `user:default/in-${groups.length}`;
  const session = entraAccess.sessions.open(principal, personOf(objectId, groups), IN_A_DAY);
  assert.ok(session !== undefined);
  const { createOwnershipRules } = published<typeof Rules>('catalog/ownershipRules');
  const [rule] = createOwnershipRules(entraAccess);
  const params = { principal, ...entraAccess.versionOf(principal) };
  return { name: 'entra-access, IS_OWNED_BY_PRINCIPAL', rule: rule as unknown as Rule, params };
}

/** As the catalog asks, for each entity: params are looked at every time */
export function authorizerCase({ name, rule, params }: Asked, entities: Entity[], owner: Owner): Case {
  const authorize = createConditionAuthorizer([rule]);
  const decision: PolicyDecision = {
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'catalog',
    resourceType: 'catalog-entity',
    conditions: { rule: rule.name, resourceType: 'catalog-entity', params },
  };
  return entityCase(name, entity => authorize(decision, entity), entities, owner);
}

/** The rule alone */
export function applyCase({ name, rule, params }: Asked, entities: Entity[], owner: Owner): Case {
  return entityCase(name, entity => rule.apply(entity, params), entities, owner);
}

/** Made once, for one person and for ever */
export function setCase(entities: Entity[], owner: Owner): Case {
  const owners = new Set(owner.claims);
  return entityCase('Set made beforehand', entity => isOwned(entity, owners), entities, owner);
}

/** Entities in turn; each answer is compared, also while it is timed */
function entityCase(name: string, owns: (entity: Entity) => boolean, entities: Entity[], { claims }: Owner): Case {
  const owners = new Set(claims);
  const expected = Uint8Array.from(entities, entity => Number(isOwned(entity, owners)));
  let at = 0;
  const once = () => {
    let right = true;
    for (let left = IN_ONE_GO; left > 0; left -= 1) {
      if (Number(owns(entities[at] as Entity)) !== expected[at]) right = false;
      at = at + 1 === entities.length ? 0 : at + 1;
    }
    return right;
  };
  const check = () => {
    assert.ok(expected.includes(0) && expected.includes(1), 'all entities are answered alike, which anybody can');
    entities.forEach((entity, index) => assert.equal(Number(owns(entity)), expected[index], entity.metadata.name));
  };
  return { name, work: { kind: 'sync', once, operations: IN_ONE_GO }, check };
}
