import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { InputError, ServiceUnavailableError } from '@backstage/errors';
import { decided } from '../audit/callers';
import type { Inspection } from '../core';
import type { ExplainedDecision } from '../explain/explained';
import type { AskedInWords } from '../explain/text';
import type { BodyOf } from '../openapi/operations';
import { coded } from '../service/coded';
import { requestId } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import type { Asker } from './asker';
import type { Explanations } from './explanations';
import type { PermissionLookup } from './permissionLookup';
import { decisionExplainOthersPermission } from './permissions';
import { whoami } from './views';

/** What questions are answered from */
export interface QuestionsOptions {
  entraAccess: EntraAccess;
  lookup: PermissionLookup;
  explanations: Explanations;
}

/** What routes and actions answer alike, once the question is read and whoever asks may ask it */
export class Questions {
  readonly #options: QuestionsOptions;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Every check of a token, side by side */
  async inspect({ token, purpose }: BodyOf<'inspectToken'>): Promise<Inspection> {
    const inspection = await this.#options.entraAccess.inspect(token, purpose);
    if (inspection) return inspection;
    throw coded('core_unavailable', new ServiceUnavailableError('the core is being restarted; try again in a second'));
  }

  /** What is decided, and why: for the caller, or for somebody else with one permission more */
  async explain(
    asker: Asker,
    question: BodyOf<'explainDecision'>,
  ): Promise<{ answer: ExplainedDecision; subject: AskedInWords }> {
    const caller = userOf(asker.credentials);
    const about = question.principal === undefined ? caller : canonical(question.principal);
    if (about === undefined)
      throw coded('request_invalid', new InputError('principal: a service asks about somebody; name an entity ref'));
    const own = about === caller;
    if (!own) await asker.must(decisionExplainOthersPermission);
    const { lookup, explanations } = this.#options;
    const permission = await lookup.find(question.permission);
    const resourceRef = question.resourceRef === undefined ? undefined : canonical(question.resourceRef);
    if (!own) await this.#record(asker, about, [permission.name, resourceRef]);
    const answer = await explanations.answer({ about, permission, resourceRef, own, asker });
    return { answer, subject: { permission: permission.name, resource: resourceRef, who: about } };
  }

  /**
   * About whom somebody asks is recorded before it is answered, also where the answer is that there is nobody or nothing.
   * @throws ServiceUnavailableError `audit_unavailable`
   */
  async #record({ credentials }: Asker, about: string, [name, resourceRef]: [string, string?]): Promise<void> {
    const { audit, core, sessions } = this.#options.entraAccess;
    const caller = userOf(credentials);
    const record = decided({
      permission: { name: decisionExplainOthersPermission.name },
      entityRef: caller,
      caller: caller === undefined ? undefined : sessions.record(caller),
      service: serviceOf(credentials),
      result: 'ALLOW',
      reason: resourceRef === undefined ? `asked about ${name}` : `asked about ${name} on ${resourceRef}`,
      epoch: core.epoch,
      resource: about,
      request: requestId(),
      plugin: 'entra-access',
    });
    await audit.require(record);
  }

  /** The caller as the core sees it */
  async whoami(credentials: BackstageCredentials) {
    const { entraAccess } = this.#options;
    const caller = userOf(credentials);
    if (caller !== undefined) await entraAccess.completed(caller);
    return whoami(entraAccess, caller);
  }
}

/** Entity ref of whoever asks; `undefined` for a service */
export function userOf({ principal }: { principal: unknown }): string | undefined {
  const { type, userEntityRef } = principal as { type?: string; userEntityRef?: string };
  return type === 'user' ? userEntityRef : undefined;
}

/** Subject of a service that asks; `undefined` for a person */
function serviceOf({ principal }: { principal: unknown }): string | undefined {
  const { type, subject } = principal as { type?: string; subject?: string };
  return type === 'service' ? subject : undefined;
}

/** The document lets nothing in that is no entity ref */
const canonical = (entityRef: string) => stringifyEntityRef(parseEntityRef(entityRef));
