import type { BackstageUserPrincipal, LoggerService } from '@backstage/backend-plugin-api';
import {
  AuthorizeResult,
  isResourcePermission,
  type Permission,
  type PolicyDecision,
} from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { decided } from '../audit/callers';
import type { Criteria, Decision, PermissionInput } from '../core';
import { challengeHeader } from '../service/claimsChallenge';
import { noteRefusal, requestId } from '../service/directCall';
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
  breakGlass: 'an entry under `entraAccess.breakGlass` allows it, as the groups are not known',
  principalRevoked: 'principal_revoked: the account is disabled, was deleted, or was signed out everywhere',
  unknownPrincipal: 'the caller is not signed in through Entra Access, or no longer',
  notReady: 'there is no policy yet',
  conditionTooLong: 'the conditions of the rules that allow it are too long for one answer',
  coreUnavailable: 'the core is being restarted',
};

/** Stable codes of what is recorded, where there is one */
const CODES: Readonly<Partial<Record<Decision['ground'], string>>> = {
  breakGlass: 'break_glass',
  principalRevoked: 'principal_revoked',
};

/** Where no rule of ours has a say: nothing else may be answered by another policy */
const MAY_FALL_BACK: ReadonlySet<Decision['ground']> = new Set(['default', 'unknownPrincipal']);

/** An answer of the rules with the decision behind it */
export interface Judged {
  answer: PolicyDecision;
  decision: Pick<Decision, 'rule' | 'ground'> & { /** Where no rule of ours gave it */ reason?: string };
}

/** What else is known of a question */
export interface Circumstances {
  /** Entity ref, or whatever the plugin calls its resources by */
  resource?: string;
  /** The plugin that asks */
  plugin?: string;
}

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

  handle(request: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    const { telemetry } = this.#entraAccess;
    return telemetry.due() ? telemetry.timed(() => this.#handle(request, user)) : this.#handle(request, user);
  }

  async #handle(request: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    // Only a signed-in user has an entity ref; Backstage calls without one for unauthenticated requests.
    if (!user) {
      const judged = this.#denied(request.permission, 'the request is not authenticated');
      await this.record(judged, request.permission, undefined);
      return judged.answer;
    }
    const principal = user.credentials.principal as BackstageUserPrincipal;
    const entityRef = principal.userEntityRef;
    const ready = this.ready(entityRef);
    if (ready) await ready;
    const judged = this.judge(request.permission, entityRef) ?? (await this.#askFallback(request, user, entityRef));
    const recorded = this.record(judged, request.permission, entityRef, { plugin: pluginOfActor(principal) });
    if (recorded) await recorded;
    return judged.answer;
  }

  /** What to wait for before {@link decide}; `undefined` when there is nothing to wait for */
  ready(entityRef: string): Promise<void> | undefined {
    return this.#entraAccess.completed(entityRef);
  }

  /**
   * The answer of the rules; `undefined` where the fallback may have to be asked. It may be given once {@link record} has it
   */
  judge(asked: Permission, entityRef: string): Judged | undefined {
    const permission = permissionInput(asked);
    const decision = this.#entraAccess.decide(entityRef, permission);
    switch (decision.effect) {
      case 'ALLOW':
        return { answer: ALLOW, decision };
      case 'CONDITIONAL':
        return this.#conditional(asked, decision, entityRef, permission.resourceType);
      default:
        if (this.#fallback && MAY_FALL_BACK.has(decision.ground)) return undefined;
        noteRefusal(entityRef, call => challengeHeader(call, this.#entraAccess.stepUp(entityRef, permission)));
        return this.#denied(asked, decision.rule ? `rule ${decision.rule}` : GROUNDS[decision.ground], decision);
    }
  }

  /**
   * Writes an answer down for the audit.
   * @returns what to wait for before it is given, `undefined` where it may be given at once
   * @throws ServiceUnavailableError, as a rejection, when it has to be recorded and cannot be
   */
  record(
    { answer, decision }: Judged,
    asked: Permission,
    entityRef: string | undefined,
    circumstances: Circumstances = {},
  ): Promise<void> | undefined {
    const { audit, breakGlass, core, sessions, telemetry } = this.#entraAccess;
    telemetry.decisions[answer.result] += 1;
    const { rule, ground, reason } = decision;
    const caller = entityRef === undefined ? undefined : sessions.record(entityRef);
    const exception = ground === 'breakGlass' ? breakGlass.used(caller, asked.name) : undefined;
    if (!audit.on) return undefined;
    const record = () =>
      decided({
        permission: permissionInput(asked),
        entityRef,
        caller,
        result: answer.result,
        rule,
        code: CODES[ground],
        reason: exception ?? reason ?? (rule === undefined ? GROUNDS[ground] : undefined),
        epoch: core.epoch,
        request: requestId(),
        ...circumstances,
      });
    // An exception is recorded whatever it was for.
    if (exception === undefined && answer.result !== AuthorizeResult.DENY && asked.attributes.action === 'read') {
      audit.read(asked.name, record);
      return undefined;
    }
    return audit.require(record());
  }

  async #askFallback(request: PolicyQuery, user: PolicyQueryUser, entityRef: string): Promise<Judged> {
    const { permission } = request;
    const fallback = this.#fallback;
    const decision = this.#entraAccess.decide(entityRef, permissionInput(permission));
    const { ground } = decision;
    // A principal of ours whose sign-in cannot be found just now is not somebody else's.
    const mayBeOurs = async () =>
      ground === 'unknownPrincipal' && !(await this.#entraAccess.sessions.isNobody(entityRef));
    // Asked anew: the core may have died since it said that no rule speaks.
    if (!fallback || !MAY_FALL_BACK.has(ground) || (await mayBeOurs())) {
      return this.judge(permission, entityRef) ?? this.#denied(permission, GROUNDS[ground], decision);
    }
    const answer = await askFallback(fallback, request, user);
    if (typeof answer !== 'string') return { answer, decision: { ground, reason: 'the fallback policy decided' } };
    this.#logger?.warn(`${permission.name} is denied: ${answer}`);
    return { answer: DENY, decision: { ground, reason: answer } };
  }

  /** Backstage's answer has no room for a reason; who was refused is not for the log */
  #denied({ name }: Permission, reason: string, decision?: Decision): Judged {
    this.#logger?.debug(`${name} is denied: ${reason}`);
    return { answer: DENY, decision: decision?.effect === 'DENY' ? decision : { ground: 'default', reason } };
  }

  #conditional(asked: Permission, decision: Decision, principal: string, resourceType?: string): Judged {
    const criteria = criteriaOf(decision);
    if (!criteria || !resourceType) return this.#denied(asked, 'its condition could not be read');
    // Constant size, whatever the number of groups: with the groups in it Backstage answers 413 (backstage#20188).
    const params = { principal, ...this.#entraAccess.versionOf(principal) };
    const answer: PolicyDecision = {
      result: AuthorizeResult.CONDITIONAL,
      pluginId: pluginOf(asked.name, resourceType),
      resourceType,
      conditions: conditionsOf(criteria, resourceType, params),
    };
    return { answer, decision };
  }
}

/** Backstage names plugins that ask for somebody `plugin:<id>` */
function pluginOfActor({ actor }: BackstageUserPrincipal): string | undefined {
  return /^plugin:(.+)$/.exec(actor?.subject ?? '')?.[1];
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
