import type { HttpAuthService, PermissionsService } from '@backstage/backend-plugin-api';
import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { AuthenticationError, InputError, NotAllowedError, ServiceUnavailableError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { createAuditRouter } from '../audit/router';
import type { AuditStore } from '../audit/store';
import { explanationText } from '../explain/text';
import { permissionInput } from '../permission/policy';
import { challengeHeader } from '../service/claimsChallenge';
import { directCallOf } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { ownersQuestionSchema } from '../service/ownersQuestion';
import type { CatalogDirectory } from './directory';
import { onlyCatalog, ownersOf } from './owners';
import { Explanations } from './explanations';
import type { PermissionLookup } from './permissionLookup';
import {
  auditReadPermission,
  decisionExplainOthersPermission,
  decisionExplainPermission,
  statusReadPermission,
  tokenInspectPermission,
  whoamiReadPermission,
} from './permissions';
import type { ResourceRules } from './resourceRules';
import { statusOf, whoami } from './views';
import { coded } from '../service/coded';

const inspectSchema = z.strictObject({ token: z.string().min(1), purpose: z.enum(['access', 'sign-in']).optional() });
const explainSchema = z.strictObject({
  permission: z.string().min(1).max(256),
  resourceRef: z.string().min(1).max(512).optional(),
  principal: z.string().min(1).max(512).optional(),
});

/** What the routes need */
export interface RouterOptions {
  entraAccess: EntraAccess;
  directory: CatalogDirectory;
  lookup: PermissionLookup;
  catalog: CatalogService;
  resourceRules: ResourceRules;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  /** Without one there is no audit trail to read */
  auditStore?: AuditStore;
}

/** Routes below `/api/entra-access` */
export function createRouter(options: RouterOptions): Router {
  const { entraAccess, directory, lookup, httpAuth, permissions, auditStore: store } = options;
  const explanations = new Explanations(options);
  const router = PromiseRouter();
  // A token that is too large to be judged must still get its answer.
  router.use(express.json({ limit: '1mb' }), withoutBody);

  async function allowed(request: Request, permission: BasicPermission) {
    const credentials = await httpAuth.credentials(request, { allow: ['user', 'service'] });
    const [decision] = await permissions.authorize([{ permission }], { credentials });
    if (decision?.result !== AuthorizeResult.ALLOW) challenge(request, userOf(credentials), permission);
    if (decision?.result !== AuthorizeResult.ALLOW)
      throw coded('permission_needed', new NotAllowedError(`permission ${permission.name} is needed`));
    return credentials;
  }

  /** A direct call that a stronger sign-in would let through is told which */
  function challenge(request: Request, entityRef: string | undefined, permission: BasicPermission): void {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const call = token && entityRef ? directCallOf(entraAccess, token, entityRef) : undefined;
    const header = call && challengeHeader(call, entraAccess.stepUp(call.entityRef, permissionInput(permission)));
    if (header === undefined) return;
    request.res?.set('WWW-Authenticate', header);
    const reason = `permission ${permission.name} needs a stronger sign-in`;
    throw Object.assign(new AuthenticationError(reason), { code: 'step_up_required' });
  }

  router.post('/v1/tokens/inspect', async (request, response) => {
    await allowed(request, tokenInspectPermission);
    const { token, purpose } = parse(inspectSchema, request.body);
    const inspection = await entraAccess.inspect(token, purpose);
    if (!inspection)
      throw coded(
        'core_unavailable',
        new ServiceUnavailableError('the core is being restarted; try again in a second'),
      );
    response.json(inspection);
  });

  router.post('/v1/decisions/explain', async (request, response) => {
    const credentials = await allowed(request, decisionExplainPermission);
    const question = parse(explainSchema, request.body);
    const caller = userOf(credentials);
    const asked = question.principal === undefined ? caller : canonicalRef(question.principal, 'principal');
    if (asked === undefined)
      throw coded('request_invalid', new InputError('principal: a service asks about somebody; name an entity ref'));
    if (asked !== caller) await allowed(request, decisionExplainOthersPermission);
    const permission = await lookup.find(question.permission);
    const resourceRef = question.resourceRef && canonicalRef(question.resourceRef, 'resourceRef');
    const own = asked === caller;
    const answer = await explanations.answer({ about: asked, permission, resourceRef, own, credentials });
    if (request.accepts(['application/json', 'text/plain']) !== 'text/plain') return void response.json(answer);
    const text = explanationText(answer, { permission: permission.name, resource: resourceRef, who: asked });
    response.type('text/plain').send(text);
  });

  router.get('/v1/whoami', async (request, response) => {
    const credentials = await allowed(request, whoamiReadPermission);
    const caller = userOf(credentials);
    if (caller !== undefined) await entraAccess.completed(caller);
    response.json(whoami(entraAccess, caller, credentials.principal));
  });

  router.get('/v1/status', async (request, response) => {
    await allowed(request, statusReadPermission);
    response.json(statusOf(entraAccess, directory));
  });

  // Not part of the public contract: the catalog in another process asks it (docs/split-deployment.md).
  router.post('/v1/internal/owners', async (request, response) => {
    await onlyCatalog(httpAuth, request);
    response.json(await ownersOf(entraAccess, parse(ownersQuestionSchema, request.body)));
  });

  if (store) {
    const { audit, core } = entraAccess;
    const mayRead = (request: Request) => allowed(request, auditReadPermission);
    router.use('/v1/audit', createAuditRouter({ core, audit, store, allowed: mayRead }));
  }
  return router;
}

/** A body that is no JSON comes back inside the parser's error, token and all: say only that it is none */
function withoutBody(error: unknown, _request: Request, _response: Response, next: NextFunction): void {
  const quotes = typeof error === 'object' && error !== null && 'body' in error;
  next(quotes ? coded('request_invalid', new InputError('the request body is not JSON')) : error);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  // Paths and expectations only: the body may hold a token.
  const issues = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'body'}: ${code}`);
  throw coded('request_invalid', new InputError(`the request body is not as expected: ${issues.join('; ')}`));
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

function userOf(credentials: { principal: unknown }): string | undefined {
  const principal = credentials.principal as { type?: string; userEntityRef?: string };
  return principal.type === 'user' ? principal.userEntityRef : undefined;
}
