import type {
  BackstageCredentials,
  DiscoveryService,
  HttpAuthService,
  PermissionsService,
} from '@backstage/backend-plugin-api';
import { AuthenticationError } from '@backstage/errors';
import type { BasicPermission } from '@backstage/plugin-permission-common';
import type { Request, Router } from 'express';
import { auditHandlers } from '../audit/handlers';
import type { AuditStore } from '../audit/store';
import { explanationText } from '../explain/text';
import type { Notifications } from '../follow/notifications';
import { openApiDocument, type OpenApiDocument } from '../openapi/document';
import type { Handlers } from '../openapi/handlers';
import { permissionInput } from '../permission/policy';
import { challengeHeader } from '../service/claimsChallenge';
import { directCallOf } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { askerOf, type Asker } from './asker';
import type { CallerLimits } from './callerLimit';
import type { BackgroundChecks } from './checks';
import type { CatalogDirectory } from './directory';
import { operationRouter, type Guards } from './operationRouter';
import { onlyCatalog, ownersOf } from './owners';
import { permissionNamed } from './permissions';
import { userOf, type Questions } from './questions';
import { statusOf } from './views';

/** What the routes need */
export interface RouterOptions {
  entraAccess: EntraAccess;
  directory: CatalogDirectory;
  checks: Pick<BackgroundChecks, 'state'>;
  questions: Questions;
  limits: CallerLimits;
  discovery: Pick<DiscoveryService, 'getExternalBaseUrl'>;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  /** Without one there is no audit trail to read */
  auditStore?: AuditStore;
  /** Without them the path of change notifications is not there */
  notifications?: Pick<Notifications, 'answer'>;
}

/** Routes below `/api/entra-access`, as `openapi/operations.ts` describes them */
export function createRouter(options: RouterOptions): Router {
  const { entraAccess, directory, checks, questions, auditStore: store, notifications } = options;
  const guards = guardsOf(options);
  const handlers: Partial<Handlers> = {
    getOpenApi: documentOnce(options),

    inspectToken: ({ body }) => questions.inspect(body),

    async explainDecision({ request, response, credentials, body }) {
      const { answer, subject } = await questions.explain(guards.asker(request, credentials), body);
      if (request.accepts(['application/json', 'text/plain']) !== 'text/plain') return answer;
      response.type('text/plain').send(explanationText(answer, subject));
      return undefined;
    },

    whoami: ({ credentials }) => questions.whoami(credentials),

    getStatus: async () => statusOf(entraAccess, directory, checks.state),

    // The catalog in another process asks it (docs/split-deployment.md).
    findOwners: ({ body }) => ownersOf(entraAccess, body),

    ...(notifications
      ? { receiveNotifications: ({ request, response }) => notifications.answer(request, response) }
      : {}),

    ...(store ? auditHandlers({ core: entraAccess.core, audit: entraAccess.audit, store }) : {}),
  };
  return operationRouter(handlers, guards);
}

/** Made once: everybody may ask for it, as often as they like */
function documentOnce({ discovery }: RouterOptions): Handlers['getOpenApi'] {
  let made: OpenApiDocument | undefined;
  return async () => (made ??= openApiDocument(await discovery.getExternalBaseUrl('entra-access')));
}

/** How operations are guarded, and who it is that has come in */
type RouterGuards = Guards & { asker(request: Request, credentials: BackstageCredentials): Asker };

function guardsOf({ entraAccess, httpAuth, permissions, limits }: RouterOptions): RouterGuards {
  const asker = (request: Request, credentials: BackstageCredentials) =>
    askerOf(credentials, permissions, permission => challenge(entraAccess, request, userOf(credentials), permission));
  return {
    asker,
    async access(request, access) {
      if (access === 'catalog') return onlyCatalog(httpAuth, request);
      const credentials = await httpAuth.credentials(request, { allow: ['user', 'service'] });
      await asker(request, credentials).must(permissionNamed(access.permission));
      return credentials;
    },
    limits: { inspect: limits.inspect.handler, explain: limits.explain.handler },
  };
}

/** A direct call that a stronger sign-in would let through is told which */
function challenge(
  entraAccess: EntraAccess,
  request: Request,
  entityRef: string | undefined,
  permission: BasicPermission,
): void {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const call = token && entityRef ? directCallOf(entraAccess, token, entityRef) : undefined;
  const header = call && challengeHeader(call, entraAccess.stepUp(call.entityRef, permissionInput(permission)));
  if (header === undefined) return;
  request.res?.set('WWW-Authenticate', header);
  const reason = `permission ${permission.name} needs a stronger sign-in`;
  throw Object.assign(new AuthenticationError(reason), { code: 'step_up_required' });
}
