import type { BackstageCredentials, HttpAuthService } from '@backstage/backend-plugin-api';
import { CustomErrorBase } from '@backstage/errors';
import type { RequestHandler } from 'express';
import { MemoryStore, rateLimit } from 'express-rate-limit';
import { coded } from '../service/coded';
import type { Limits } from '../service/limits';

const WINDOW_MS = 60_000;

class TooManyRequestsError extends CustomErrorBase {
  override name = 'TooManyRequestsError';
  readonly statusCode = 429;
}

/** The limit of each kind of question */
export type CallerLimits = Readonly<Record<keyof Limits, CallerLimit>>;

export function callerLimits({ inspect, explain }: Limits, httpAuth: HttpAuthService): CallerLimits {
  return {
    inspect: new CallerLimit(inspect, 'entraAccess.limits.inspect', httpAuth),
    explain: new CallerLimit(explain, 'entraAccess.limits.explain', httpAuth),
  };
}

/**
 * Lets one caller ask so often within a minute, in this process; whoever asks more is told when to come back.
 *
 * What is held is a number for each caller of the last two minutes, and a caller is somebody whose token was accepted.
 */
export class CallerLimit {
  /** For a route */
  readonly handler: RequestHandler;
  readonly #store = new MemoryStore();
  readonly #limit: number;
  readonly #setting: string;

  constructor(limit: number, setting: string, httpAuth: HttpAuthService) {
    this.#limit = limit;
    this.#setting = setting;
    this.handler = rateLimit({
      windowMs: WINDOW_MS,
      limit,
      store: this.#store,
      standardHeaders: 'draft-7',
      legacyHeaders: false,
      keyGenerator: async request => callerOf(await httpAuth.credentials(request, { allow: ['user', 'service'] })),
      handler: (_request, _response, next) => next(this.#exceeded()),
      // They are about addresses, and no address is looked at.
      validate: false,
    });
  }

  /**
   * Counts a question that does not come by a route.
   * @throws TooManyRequestsError `rate_limited`
   */
  async count(credentials: BackstageCredentials): Promise<void> {
    const { totalHits } = await this.#store.increment(callerOf(credentials));
    if (totalHits > this.#limit) throw this.#exceeded();
  }

  #exceeded(): Error {
    const reason = `more than ${this.#limit} requests of this caller within a minute; see \`${this.#setting}\``;
    return coded('rate_limited', new TooManyRequestsError(reason));
  }
}

function callerOf({ principal }: BackstageCredentials): string {
  const { type, userEntityRef, subject } = principal as Record<
    'type' | 'userEntityRef' | 'subject',
    string | undefined
  >;
  return `${type} ${userEntityRef ?? subject ?? ''}`;
}
