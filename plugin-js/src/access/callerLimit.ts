import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { CustomErrorBase } from '@backstage/errors';
import type { Request, RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { coded } from '../service/coded';

const WINDOW_MS = 60_000;

class TooManyRequestsError extends CustomErrorBase {
  override name = 'TooManyRequestsError';
  readonly statusCode = 429;
}

/**
 * Lets one caller ask so often within a minute, in this process; whoever asks more is told when to come back.
 *
 * What is held is a number for each caller of the last two minutes, and a caller is somebody whose token was accepted.
 */
export function callerLimit(
  limit: number,
  setting: string,
  credentialsOf: (request: Request) => Promise<BackstageCredentials>,
): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    keyGenerator: async request => callerOf((await credentialsOf(request)).principal),
    handler: (_request, _response, next) => {
      const reason = `more than ${limit} requests of this caller within a minute; see \`${setting}\``;
      next(coded('rate_limited', new TooManyRequestsError(reason)));
    },
    // They are about addresses, and no address is looked at.
    validate: false,
  });
}

function callerOf(principal: unknown): string {
  const { type, userEntityRef, subject } = principal as Record<
    'type' | 'userEntityRef' | 'subject',
    string | undefined
  >;
  return `${type} ${userEntityRef ?? subject ?? ''}`;
}
