import type {
  BackstageCredentials,
  DiscoveryService,
  HttpAuthService,
  PermissionsService,
} from '@backstage/backend-plugin-api';
import { parseEntityRef, RELATION_OWNED_BY, stringifyEntityRef } from '@backstage/catalog-model';
import {
  AuthenticationError,
  InputError,
  NotAllowedError,
  NotFoundError,
  ServiceUnavailableError,
} from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { Request, Router } from 'express';
import { auditHandlers } from '../audit/handlers';
import type { AuditStore } from '../audit/store';
import type { ResourceInput } from '../core';
import { openApiDocument, type OpenApiDocument } from '../openapi/document';
import type { Asked, Handlers } from '../openapi/handlers';
import { permissionInput } from '../permission/policy';
import { challengeHeader } from '../service/claimsChallenge';
import { coded } from '../service/coded';
import { directCallOf } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { callerLimit } from './callerLimit';
import type { CatalogDirectory } from './directory';
import { operationRouter, type Guards } from './operationRouter';
import { onlyCatalog, ownersOf } from './owners';
import type { PermissionLookup } from './permissionLookup';
import { decisionExplainOthersPermission, entraAccessPermissions } from './permissions';
import { notSignedIn, statusOf, whoami } from './views';

/** What the routes need */
export interface RouterOptions {
  entraAccess: EntraAccess;
  directory: CatalogDirectory;
  lookup: PermissionLookup;
  catalog: CatalogService;
  discovery: Pick<DiscoveryService, 'getExternalBaseUrl'>;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  /** Without one there is no audit trail to read */
  auditStore?: AuditStore;
}

/** Routes below `/api/entra-access`, as `openapi/operations.ts` describes them */
export function createRouter(options: RouterOptions): Router {
  const { entraAccess, directory, auditStore: store } = options;
  const guards = guardsOf(options);
  const explain = explainer(options, guards);
  const handlers: Partial<Handlers> = {
    getOpenApi: documentOnce(options),

    async inspectToken({ body: { token, purpose } }) {
      const inspection = await entraAccess.inspect(token, purpose);
      if (inspection) return inspection;
      const reason = 'the core is being restarted; try again in a second';
      throw coded('core_unavailable', new ServiceUnavailableError(reason));
    },

    explainDecision: explain,

    async whoami({ credentials }) {
      const caller = userOf(credentials);
      if (caller !== undefined) await entraAccess.completed(caller);
      return whoami(entraAccess, caller);
    },

    getStatus: async () => statusOf(entraAccess, directory),

    // The catalog in another process asks it (docs/split-deployment.md).
    findOwners: ({ body }) => ownersOf(entraAccess, body),

    ...(store ? auditHandlers({ core: entraAccess.core, audit: entraAccess.audit, store }) : {}),
  };
  return operationRouter(handlers, guards);
}

/** Made once: everybody may ask for it, as often as they like */
function documentOnce({ discovery }: RouterOptions): Handlers['getOpenApi'] {
  let made: OpenApiDocument | undefined;
  return async () => (made ??= openApiDocument(await discovery.getExternalBaseUrl('entra-access')));
}

function explainer({ entraAccess, lookup, catalog }: RouterOptions, guards: Guards): Handlers['explainDecision'] {
  return async ({ request, credentials, body }: Asked<'explainDecision'>) => {
    const caller = userOf(credentials);
    const asked = body.principal === undefined ? caller : canonical(body.principal);
    if (asked === undefined)
      throw coded('request_invalid', new InputError('principal: a service asks about somebody; name an entity ref'));
    if (asked !== caller) await guards.access(request, { permission: decisionExplainOthersPermission.name });
    const permission = await lookup.find(body.permission);
    const resource = body.resourceRef === undefined ? undefined : await readResource(canonical(body.resourceRef));
    await entraAccess.completed(asked);
    const explanation = entraAccess.explain(asked, permission, resource);
    if (!explanation) throw notSignedIn(entraAccess, asked);
    return explanation;

    /** With the caller's own eyes: what they may not read is not there */
    async function readResource(entityRef: string): Promise<ResourceInput> {
      const entity = await catalog.getEntityByRef(entityRef, { credentials });
      if (!entity)
        throw coded(
          'entity_not_found',
          new NotFoundError(`${entityRef} does not exist, or the caller may not read it`),
        );
      const owners = (entity.relations ?? []).filter(({ type }) => type === RELATION_OWNED_BY);
      return { entityRef, owners: owners.map(({ targetRef }) => targetRef) };
    }
  };
}

function guardsOf({ entraAccess, httpAuth, permissions }: RouterOptions): Guards {
  const { inspect, explain } = entraAccess.limits;
  const credentialsOf = (request: Request) => httpAuth.credentials(request, { allow: ['user', 'service'] });
  return {
    async access(request, access) {
      if (access === 'catalog') return onlyCatalog(httpAuth, request);
      const credentials = await credentialsOf(request);
      const permission = PERMISSIONS.get(access.permission);
      if (!permission) throw new Error(`there is no permission ${access.permission}`);
      const [decision] = await permissions.authorize([{ permission }], { credentials });
      if (decision?.result === AuthorizeResult.ALLOW) return credentials;
      challenge(entraAccess, request, userOf(credentials), permission);
      throw coded('permission_needed', new NotAllowedError(`permission ${permission.name} is needed`));
    },
    limits: {
      inspect: callerLimit(inspect, 'entraAccess.limits.inspect', credentialsOf),
      explain: callerLimit(explain, 'entraAccess.limits.explain', credentialsOf),
    },
  };
}

const PERMISSIONS: ReadonlyMap<string, BasicPermission> = new Map(
  entraAccessPermissions.map(each => [each.name, each]),
);

/** A direct call that a stronger sign-in would let through is told which */
function challenge(
  entraAccess: EntraAccess,
  request: Request,
  entityRef: string | undefined,
  permission: BasicPermission,
): void {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const call = token && entityRef ? directCallOf(entraAccess, token, entityRef) : undefined;
  const header =
    call && challengeHeader(call, entraAccess.explain(call.entityRef, permissionInput(permission))?.stepUp);
  if (header === undefined) return;
  request.res?.set('WWW-Authenticate', header);
  const reason = `permission ${permission.name} needs a stronger sign-in`;
  throw Object.assign(new AuthenticationError(reason), { code: 'step_up_required' });
}

const canonical = (entityRef: string) => stringifyEntityRef(parseEntityRef(entityRef));

function userOf({ principal }: BackstageCredentials): string | undefined {
  const { type, userEntityRef } = principal as { type?: string; userEntityRef?: string };
  return type === 'user' ? userEntityRef : undefined;
}
