import {
  rootHttpRouterServiceFactory,
  type RootHttpRouterFactoryOptions,
} from '@backstage/backend-defaults/rootHttpRouter';
import type { NextFunction, Request, Response } from 'express';
import { challengeOf, followRequest, type RequestContext } from '../service/directCall';

/** An error as Backstage writes it */
interface ErrorBody {
  error?: Record<string, unknown>;
  response?: { statusCode?: unknown };
}

/**
 * Middleware before all routes: a 403 to a direct call that a stronger sign-in would turn becomes the 401 with which Microsoft asks for
 * one. Nothing else is touched.
 *
 * At the answer, not at the error: every plugin has its own handler of errors, and no later one gets to see them.
 */
export function claimsChallenges(request: Request, response: Response, next: NextFunction): void {
  const id = request.headers['x-request-id'];
  // A name, and nothing else: it goes into the audit.
  const context: RequestContext = typeof id === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(id) ? { id } : {};
  const json = response.json;
  response.json = function challenged(this: Response, body?: unknown) {
    const header = this.statusCode === 403 && !this.headersSent ? challengeOf(context) : undefined;
    if (header === undefined) return json.call(this, body);
    return json.call(this.status(401).set('WWW-Authenticate', header), asChallenge(body as ErrorBody));
  };
  followRequest(context, next);
}

/** The same error under the status that it has now */
function asChallenge(body: ErrorBody): ErrorBody {
  if (!body?.error) return body;
  const error = { ...body.error, name: 'AuthenticationError', code: 'step_up_required' };
  return { ...body, error, response: { ...body.response, statusCode: 401 } };
}

/** The root router with claims challenges; `options` are those of Backstage's own */
export function claimsChallengesWith(options: RootHttpRouterFactoryOptions = {}) {
  return rootHttpRouterServiceFactory({
    ...options,
    configure(context) {
      context.app.use(claimsChallenges);
      if (options.configure) options.configure(context);
      else context.applyDefaults();
    },
  });
}

/** `coreServices.rootHttpRouter` with claims challenges */
export const claimsChallengesServiceFactory = claimsChallengesWith();
