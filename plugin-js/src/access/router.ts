import type { HttpAuthService, PermissionsService } from '@backstage/backend-plugin-api';
import { AuthenticationError, InputError } from '@backstage/errors';
import type { BasicPermission } from '@backstage/plugin-permission-common';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { createAuditRouter } from '../audit/router';
import type { AuditStore } from '../audit/store';
import { permissionInput } from '../permission/policy';
import { challengeHeader } from '../service/claimsChallenge';
import { coded } from '../service/coded';
import { directCallOf } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { ownersQuestionSchema } from '../service/ownersQuestion';
import type { CatalogDirectory } from './directory';
import { onlyCatalog, ownersOf } from './owners';
import { auditReadPermission, statusReadPermission } from './permissions';
import { askerOf, parse, userOf, type Asker, type Questions } from './questions';
import { statusOf } from './views';

/** What the routes need */
export interface RouterOptions {
  entraAccess: EntraAccess;
  directory: CatalogDirectory;
  questions: Questions;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  /** Without one there is no audit trail to read */
  auditStore?: AuditStore;
}

/** Routes below `/api/entra-access` */
export function createRouter(options: RouterOptions): Router {
  const { entraAccess, directory, questions, httpAuth, permissions, auditStore: store } = options;
  const router = PromiseRouter();
  // A token that is too large to be judged must still get its answer.
  router.use(express.json({ limit: '1mb' }), withoutBody);

  async function asker(request: Request): Promise<Asker> {
    const credentials = await httpAuth.credentials(request, { allow: ['user', 'service'] });
    const refused = (permission: BasicPermission) => challenge(request, userOf(credentials), permission);
    return askerOf(credentials, permissions, refused);
  }

  const allowed = async (request: Request, permission: BasicPermission) => (await asker(request)).must(permission);

  /** A direct call that a stronger sign-in would let through is told which */
  function challenge(request: Request, entityRef: string | undefined, permission: BasicPermission): void {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const call = token && entityRef ? directCallOf(entraAccess, token, entityRef) : undefined;
    const header =
      call && challengeHeader(call, entraAccess.explain(call.entityRef, permissionInput(permission))?.stepUp);
    if (header === undefined) return;
    request.res?.set('WWW-Authenticate', header);
    const reason = `permission ${permission.name} needs a stronger sign-in`;
    throw Object.assign(new AuthenticationError(reason), { code: 'step_up_required' });
  }

  router.post('/v1/tokens/inspect', async (request, response) => {
    response.json(await questions.inspect(await asker(request), request.body));
  });

  router.post('/v1/decisions/explain', async (request, response) => {
    response.json(await questions.explain(await asker(request), request.body));
  });

  router.get('/v1/whoami', async (request, response) => {
    response.json(await questions.whoami(await asker(request)));
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
