import type { BackstageUserPrincipal, LoggerService } from '@backstage/backend-plugin-api';
import {
  AuthorizeResult,
  isResourcePermission,
  type Permission,
  type PolicyDecision,
} from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import type { Criteria, Decision, PermissionInput } from '../core';
import { challengeHeader } from '../service/claimsChallenge';
import { noteRefusal } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { conditionsOf, pluginOf } from './conditions';
import { askFallback } from './fallback';

const ALLOW: PolicyDecision = Object.freeze({ result: AuthorizeResult.ALLOW });
const DENY: PolicyDecision = Object.freeze({ result: AuthorizeResult.DENY });

const OWNED: Criteria = Object.freeze({ owned: true });
const NOT_OWNED: Criteria = Object.freeze({ owned: false });

/** Why a refusal names no rule, for whoever reads the log */
const GROUNDS: Readonly<Record<Decision['ground'], string>> = {
  rule: 'denied by a rule',
  default: 'no rule speaks about it',
  unmet: 'no rule allows it as things are',
  unknownPrincipal: 'the caller is not signed in through Entra Access, or no longer',
  notReady: 'there is no policy yet',
  conditionTooLong: 'the conditions of the rules that allow it are too long for one answer',
  coreUnavailable: 'the core is being restarted',
};

/** Where no rule of ours has a say: nothing else may be answered by another policy */
const MAY_FALL_BACK: ReadonlySet<Decision['ground']> = new Set(['default', 'unknownPrincipal']);

/** The policy that Backstage asks; every answer is the core's, or that no rule speaks about it */
export class EntraPermissionPolicy implements PermissionPolicy {
  readonly #entraAccess: EntraAccess;
  readonly #logger?: Pick<LoggerService, 'debug' | 'warn'>;
  #installed = false;
  #fallback?: PermissionPolicy;

  constructor(entraAccess: EntraAccess, logger?: Pick<LoggerService, 'debug' | 'warn'>) {
    this.#entraAccess = entraAccess;
    this.#logger = logger;
  }

  /** Whether Backstage asks this policy */
  get installed(): boolean {
    return this.#installed;
  }

  /** From now on Backstage asks it, and it asks `fallback` about what the rules do not speak about */
  install(fallback?: PermissionPolicy): void {
    this.#installed = true;
    this.#fallback = fallback;
    this.#entraAccess.asksFallback = fallback !== undefined;
  }

  async handle(request: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    // Only a signed-in user has an entity ref; Backstage calls without one for unauthenticated requests.
    if (!user) return this.#deny(request.permission, 'the request is not authenticated');
    const entityRef = (user.credentials.principal as BackstageUserPrincipal).userEntityRef;
    const ready = this.ready(entityRef);
    if (ready) await ready;
    return this.decide(request.permission, entityRef) ?? this.#askFallback(request, user, entityRef);
  }

  /** What to wait for before {@link decide}; `undefined` when there is nothing to wait for */
  ready(entityRef: string): Promise<void> | undefined {
    return this.#entraAccess.completed(entityRef);
  }

  /** The answer of the rules; `undefined` where the fallback may have to be asked */
  decide(asked: Permission, entityRef: string): PolicyDecision | undefined {
    const permission = permissionInput(asked);
    const decision = this.#entraAccess.decide(entityRef, permission);
    switch (decision.effect) {
      case 'ALLOW':
        return ALLOW;
      case 'CONDITIONAL':
        return this.#conditional(asked, decision, entityRef, permission.resourceType);
      default:
        if (this.#fallback && MAY_FALL_BACK.has(decision.ground)) return undefined;
        noteRefusal(entityRef, call => challengeHeader(call, this.#entraAccess.explain(entityRef, permission)?.stepUp));
        return this.#deny(asked, decision.rule ? `rule ${decision.rule}` : GROUNDS[decision.ground]);
    }
  }

  async #askFallback(request: PolicyQuery, user: PolicyQueryUser, entityRef: string): Promise<PolicyDecision> {
    const { permission } = request;
    const fallback = this.#fallback;
    const { ground } = this.#entraAccess.decide(entityRef, permissionInput(permission));
    // A principal of ours whose sign-in cannot be found just now is not somebody else's.
    const mayBeOurs = async () =>
      ground === 'unknownPrincipal' && !(await this.#entraAccess.sessions.isNobody(entityRef));
    // Asked anew: the core may have died since it said that no rule speaks.
    if (!fallback || !MAY_FALL_BACK.has(ground) || (await mayBeOurs())) {
      return this.decide(permission, entityRef) ?? this.#deny(permission, GROUNDS[ground]);
    }
    const answer = await askFallback(fallback, request, user);
    if (typeof answer !== 'string') return answer;
    this.#logger?.warn(`${permission.name} is denied: ${answer}`);
    return DENY;
  }

  /** Backstage's answer has no room for a reason; who was refused is not for the log */
  #deny({ name }: Permission, reason: string): PolicyDecision {
    this.#logger?.debug(`${name} is denied: ${reason}`);
    return DENY;
  }

  #conditional(asked: Permission, decision: Decision, principal: string, resourceType?: string): PolicyDecision {
    const criteria = criteriaOf(decision);
    if (!criteria || !resourceType) return this.#deny(asked, 'its condition could not be read');
    // Constant size, whatever the number of groups: with the groups in it Backstage answers 413 (backstage#20188).
    const params = { principal, ...this.#entraAccess.versionOf(principal) };
    return {
      result: AuthorizeResult.CONDITIONAL,
      pluginId: pluginOf(asked.name, resourceType),
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
