import type { BackstageUserPrincipal } from '@backstage/backend-plugin-api';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { RULES } from '../catalog/ownershipRules';
import type { Decision, PermissionInput } from '../core';
import type { EntraAccess } from '../service/entraAccess';

const ALLOW: PolicyDecision = Object.freeze({ result: AuthorizeResult.ALLOW });
const DENY: PolicyDecision = Object.freeze({ result: AuthorizeResult.DENY });

/** The policy that Backstage asks; every answer is the core's */
export class EntraPermissionPolicy implements PermissionPolicy {
  readonly #entraAccess: EntraAccess;

  constructor(entraAccess: EntraAccess) {
    this.#entraAccess = entraAccess;
  }

  async handle(request: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    // Only a signed-in user has an entity ref; Backstage calls without one for unauthenticated requests.
    if (!user) return DENY;
    const entityRef = (user.credentials.principal as BackstageUserPrincipal).userEntityRef;
    const completed = this.#entraAccess.completed(entityRef);
    if (completed) await completed;
    const decision = this.#entraAccess.decide(entityRef, permissionInput(request.permission));
    switch (decision.effect) {
      case 'ALLOW':
        return ALLOW;
      case 'CONDITIONAL':
        return this.#conditional(decision, entityRef);
      default:
        return DENY;
    }
  }

  #conditional({ dependence }: Decision, principal: string): PolicyDecision {
    const resourceType = 'catalog-entity';
    // Constant size, whatever the number of groups: with the groups in it Backstage answers 413 (backstage#20188).
    const params = { principal, epoch: this.#entraAccess.core.epoch };
    const conditions = { rule: RULES[dependence ?? 'owned'], resourceType, params };
    return { result: AuthorizeResult.CONDITIONAL, pluginId: 'catalog', resourceType, conditions };
  }
}

/** A Backstage permission in the core's words */
export function permissionInput(permission: PolicyQuery['permission']): PermissionInput {
  return {
    name: permission.name,
    action: permission.attributes.action,
    resourceType: isResourcePermission(permission) ? permission.resourceType : undefined,
  };
}
