import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { parseEntityRef, RELATION_OWNED_BY, stringifyEntityRef } from '@backstage/catalog-model';
import { InputError, NotAllowedError, NotFoundError, ServiceUnavailableError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { z } from 'zod';
import type { Explanation, Inspection, ResourceInput } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { PermissionLookup } from './permissionLookup';
import {
  decisionExplainOthersPermission,
  decisionExplainPermission,
  tokenInspectPermission,
  whoamiReadPermission,
} from './permissions';
import { notSignedIn, whoami } from './views';

const inspectSchema = z.strictObject({ token: z.string().min(1), purpose: z.enum(['access', 'sign-in']).optional() });
const explainSchema = z.strictObject({
  permission: z.string().min(1).max(256),
  resourceRef: z.string().min(1).max(512).optional(),
  principal: z.string().min(1).max(512).optional(),
});

/** Whoever asks, however they came in */
export interface Asker {
  credentials: BackstageCredentials;
  /** @throws NotAllowedError where they may not */
  must(permission: BasicPermission): Promise<void>;
}

/** Whoever has credentials; `refused` may turn a refusal into another one */
export function askerOf(
  credentials: BackstageCredentials,
  permissions: PermissionsService,
  refused?: (permission: BasicPermission) => void,
): Asker {
  return {
    credentials,
    async must(permission) {
      const [decision] = await permissions.authorize([{ permission }], { credentials });
      if (decision?.result === AuthorizeResult.ALLOW) return;
      refused?.(permission);
      throw coded('permission_needed', new NotAllowedError(`permission ${permission.name} is needed`));
    },
  };
}

/** What questions are answered from */
export interface QuestionsOptions {
  entraAccess: EntraAccess;
  lookup: PermissionLookup;
  catalog: CatalogService;
}

/** What routes and actions answer alike: each question behind its own permission, and parsed here */
export class Questions {
  readonly #options: QuestionsOptions;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Every check of a token, side by side */
  async inspect({ must }: Asker, question: unknown): Promise<Inspection> {
    await must(tokenInspectPermission);
    const { token, purpose } = parse(inspectSchema, question);
    const inspection = await this.#options.entraAccess.inspect(token, purpose);
    if (inspection) return inspection;
    throw coded('core_unavailable', new ServiceUnavailableError('the core is being restarted; try again in a second'));
  }

  /** What is decided, and why: for the caller, or for somebody else with one permission more */
  async explain({ credentials, must }: Asker, body: unknown): Promise<Explanation> {
    await must(decisionExplainPermission);
    const { entraAccess, lookup } = this.#options;
    const question = parse(explainSchema, body);
    const caller = userOf(credentials);
    const asked = question.principal === undefined ? caller : canonicalRef(question.principal, 'principal');
    if (asked === undefined)
      throw coded('request_invalid', new InputError('principal: a service asks about somebody; name an entity ref'));
    if (asked !== caller) await must(decisionExplainOthersPermission);
    const permission = await lookup.find(question.permission);
    const resource = question.resourceRef
      ? await this.#resource(canonicalRef(question.resourceRef, 'resourceRef'), credentials)
      : undefined;
    await entraAccess.completed(asked);
    const explanation = entraAccess.explain(asked, permission, resource);
    if (!explanation) throw notSignedIn(entraAccess, asked);
    return explanation;
  }

  /** The caller as the core sees it */
  async whoami({ credentials, must }: Asker) {
    await must(whoamiReadPermission);
    const { entraAccess } = this.#options;
    const caller = userOf(credentials);
    if (caller !== undefined) await entraAccess.completed(caller);
    return whoami(entraAccess, caller, credentials.principal);
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

/** @throws InputError with paths and expectations only: a body may hold a token */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'body'}: ${code}`);
  throw coded('request_invalid', new InputError(`the request body is not as expected: ${issues.join('; ')}`));
}

/** Entity ref of whoever asks; `undefined` for a service */
export function userOf({ principal }: { principal: unknown }): string | undefined {
  const { type, userEntityRef } = principal as { type?: string; userEntityRef?: string };
  return type === 'user' ? userEntityRef : undefined;
}

function canonicalRef(text: string, field: string): string {
  try {
    return stringifyEntityRef(parseEntityRef(text));
  } catch {
    throw coded(
      'request_invalid',
      new InputError(`${field}: not an entity reference such as component:default/payments-api`),
    );
  }
}
