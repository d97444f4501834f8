import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { CustomErrorBase } from '@backstage/errors';
import type { Request, RequestHandler, Response, Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import type { Asked, Handlers } from '../openapi/handlers';
import { OPERATIONS, type Operation } from '../openapi/operations';
import { readBody, readQuery, refuseAnyBody } from '../openapi/request';
import { ROUTES, type OperationId } from '../openapi/routes';
import { coded } from '../service/coded';

/** How operations are guarded; what is not let in is an error */
export interface Guards {
  access(request: Request, access: Exclude<Operation['access'], 'public' | 'graph'>): Promise<BackstageCredentials>;
  limits: Record<NonNullable<Operation['limit']>, RequestHandler>;
}

/** Of operations that take none */
const NO_QUERY = z.strictObject({});

class MethodNotAllowedError extends CustomErrorBase {
  override name = 'MethodNotAllowedError';
  readonly statusCode = 405;
}

/** The routes of the document that have a handler: each request is let in, read and then answered */
export function operationRouter(handlers: Partial<Handlers>, guards: Guards): Router {
  const router = PromiseRouter();
  const served = Object.keys(handlers) as OperationId[];
  for (const id of served) {
    const { method, path } = ROUTES[id];
    const operation: Operation = OPERATIONS[id];
    const handle = handlers[id] as (asked: Asked<OperationId>) => Promise<unknown>;
    const limits = operation.limit ? [guards.limits[operation.limit]] : [];
    router[method](path, ...limits, async (request, response) => {
      const letIn = await read(operation, request, response, guards);
      const answer = await handle({ request, response, ...letIn } as Asked<OperationId>);
      if (answer !== undefined) response.json(answer);
    });
  }
  router.use(otherMethods(served));
  return router;
}

/** Whoever may not ask is not told what is wrong with the question */
async function read(operation: Operation, request: Request, response: Response, guards: Guards): Promise<object> {
  const { access, query, body } = operation;
  // Whatever comes with the question is left unread; what Graph sends its handler reads.
  if (access === 'public' || access === 'graph') return {};
  const credentials = await guards.access(request, access);
  if (!body) refuseAnyBody(request);
  return {
    credentials,
    query: readQuery(query ?? NO_QUERY, request),
    body: body && (await readBody(body, request, response)),
  };
}

function otherMethods(served: readonly OperationId[]): RequestHandler {
  const routes = served.map(id => ROUTES[id]);
  return (request, response, next) => {
    const methods = routes.flatMap(({ method, path }) => (path === request.path ? [method] : []));
    if (methods.length === 0 || request.method === 'OPTIONS') return next();
    const allowed = methods.flatMap(method => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
    response.set('Allow', allowed);
    next(coded('method_not_allowed', new MethodNotAllowedError(`this route answers ${allowed}`)));
  };
}
