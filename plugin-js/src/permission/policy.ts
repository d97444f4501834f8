import type { BackstageUserPrincipal, LoggerService } from '@backstage/backend-plugin-api';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import type { Criteria, Decision, PermissionInput } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { conditionsOf, pluginOf } from './conditions';

const ALLOW: PolicyDecision = Object.freeze({ result: AuthorizeResult.ALLOW });
const DENY: PolicyDecision = Object.freeze({ result: AuthorizeResult.DENY });

const OWNED: Criteria = Object.freeze({ owned: true });
const NOT_OWNED: Criteria = Object.freeze({ owned: false });

/** Why a refusal names no rule, for whoever reads the log */
const GROUNDS: Readonly<Record<Decision['ground'], string>> = {
  rule: 'denied by a rule',
  default: 'no rule allows it',
  unknownPrincipal: 'the caller is not signed in through Entra Access, or no longer',
  notReady: 'there is no policy yet',
  conditionTooLong: 'the conditions of the rules that allow it are too long for one answer',
  coreUnavailable: 'the core is being restarted',
};

/** The policy that Backstage asks; every answer is the core's */
export class EntraPermissionPolicy implements PermissionPolicy {
  readonly #entraAccess: EntraAccess;
  readonly #logger?: Pick<LoggerService, 'debug'>;

  constructor(entraAccess: EntraAccess, logger?: Pick<LoggerService, 'debug'>) {
    this.#entraAccess = entraAccess;
    this.#logger = logger;
  }

  async handle(request: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    // Only a signed-in user has an entity ref; Backstage calls without one for unauthenticated requests.
    if (!user) return this.#deny(request, 'the request is not authenticated');
    const entityRef = (user.credentials.principal as BackstageUserPrincipal).userEntityRef;
    const completed = this.#entraAccess.completed(entityRef);
    if (completed) await completed;
    const permission = permissionInput(request.permission);
    const decision = this.#entraAccess.decide(entityRef, permission);
    switch (decision.effect) {
      case 'ALLOW':
        return ALLOW;
      case 'CONDITIONAL':
        return this.#conditional(request, decision, entityRef, permission.resourceType);
      default:
        return this.#deny(request, decision.rule ? `rule ${decision.rule}` : GROUNDS[decision.ground]);
    }
  }

  /** Backstage's answer has no room for a reason; who was refused is not for the log */
  #deny({ permission }: PolicyQuery, reason: string): PolicyDecision {
    this.#logger?.debug(`${permission.name} is denied: ${reason}`);
    return DENY;
  }

  #conditional(request: PolicyQuery, decision: Decision, principal: string, resourceType?: string): PolicyDecision {
    const criteria = criteriaOf(decision);
    if (!criteria || !resourceType) return this.#deny(request, 'its condition could not be read');
    // Constant size, whatever the number of groups: with the groups in it Backstage answers 413 (backstage#20188).
    const params = { principal, ...this.#entraAccess.versionOf(principal) };
    return {
      result: AuthorizeResult.CONDITIONAL,
      pluginId: pluginOf(request.permission.name, resourceType),
      resourceType,
      conditions: conditionsOf(criteria, resourceType, params),
    };
  }
}

function criteriaOf({ dependence, criteria }: Decision): Criteria | undefined {
  if (dependence === 'owned') return OWNED;
  return dependence === 'notOwned' ? NOT_OWNED : criteria;
}

/** A Backstage permission in the core's words */
export function permissionInput(permission: PolicyQuery['permission']): PermissionInput {
  return {
    name: permission.name,
    action: permission.attributes.action,
    resourceType: isResourcePermission(permission) ? permission.resourceType : undefined,
  };
}
