import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { parseEntityRef, RELATION_OWNED_BY, stringifyEntityRef } from '@backstage/catalog-model';
import { InputError, NotFoundError, ServiceUnavailableError } from '@backstage/errors';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { BasicPermission } from '@backstage/plugin-permission-common';
import type { Explanation, Inspection, ResourceInput } from '../core';
import type { BodyOf } from '../openapi/operations';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { PermissionLookup } from './permissionLookup';
import { decisionExplainOthersPermission } from './permissions';
import { notSignedIn, whoami } from './views';

/** Whoever asks, however they came in; they may ask the question itself */
export interface Asker {
  credentials: BackstageCredentials;
  /** @throws NotAllowedError where they may not */
  must(permission: BasicPermission): Promise<void>;
}

/** What questions are answered from */
export interface QuestionsOptions {
  entraAccess: EntraAccess;
  lookup: PermissionLookup;
  catalog: CatalogService;
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
  async explain({ credentials, must }: Asker, question: BodyOf<'explainDecision'>): Promise<Explanation> {
    const { entraAccess, lookup } = this.#options;
    const caller = userOf(credentials);
    const asked = question.principal === undefined ? caller : canonical(question.principal);
    if (asked === undefined)
      throw coded('request_invalid', new InputError('principal: a service asks about somebody; name an entity ref'));
    if (asked !== caller) await must(decisionExplainOthersPermission);
    const permission = await lookup.find(question.permission);
    const { resourceRef } = question;
    const resource = resourceRef === undefined ? undefined : await this.#resource(canonical(resourceRef), credentials);
    await entraAccess.completed(asked);
    const explanation = entraAccess.explain(asked, permission, resource);
    if (!explanation) throw notSignedIn(entraAccess, asked);
    return explanation;
  }

  /** The caller as the core sees it */
  async whoami(credentials: BackstageCredentials) {
    const { entraAccess } = this.#options;
    const caller = userOf(credentials);
    if (caller !== undefined) await entraAccess.completed(caller);
    return whoami(entraAccess, caller);
  }

  /** With the caller's own eyes: what they may not read is not there */
  async #resource(entityRef: string, credentials: BackstageCredentials): Promise<ResourceInput> {
    const entity = await this.#options.catalog.getEntityByRef(entityRef, { credentials });
    if (!entity)
      throw coded('entity_not_found', new NotFoundError(`${entityRef} does not exist, or the caller may not read it`));
    const owners = (entity.relations ?? []).filter(({ type }) => type === RELATION_OWNED_BY);
    return { entityRef, owners: owners.map(({ targetRef }) => targetRef) };
  }
}

/** Entity ref of whoever asks; `undefined` for a service */
export function userOf({ principal }: { principal: unknown }): string | undefined {
  const { type, userEntityRef } = principal as { type?: string; userEntityRef?: string };
  return type === 'user' ? userEntityRef : undefined;
}

/** The document lets nothing in that is no entity ref */
const canonical = (entityRef: string) => stringifyEntityRef(parseEntityRef(entityRef));
