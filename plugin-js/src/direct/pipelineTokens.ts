import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { AuthenticationError } from '@backstage/errors';
import { refusedToken } from '../audit/callers';
import { TokenRejectedError } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import { isPipelineRef, tokenEnd } from '../service/pipelineLife';
import type { Claimed } from '../service/unverified';
import { UserTokenHandler } from './userTokenHandler';

/** Whether somebody is signed in, here or where the sessions are */
type SignIns = Pick<EntraAccess, 'knows' | 'refuse'>;

/**
 * Ends the Backstage tokens of pipelines when the sign-in behind them ends: minutes, not the hour that Backstage gives to every
 * token. So they end also for routes that ask no policy. The inner handler has looked for the session by then.
 */
export class PipelineTokens extends UserTokenHandler {
  readonly #signIns: SignIns;
  readonly #clock: () => number;

  constructor(inner: PluginTokenHandler, signIns: SignIns, clock: () => number = Date.now) {
    super(inner);
    this.#signIns = signIns;
    this.#clock = clock;
  }

  /** @throws TokenRejectedError `token_expired`, or AuthenticationError when there is no sign-in behind the token */
  protected async look(subject: string, claims: Claimed): Promise<void> {
    if (!isPipelineRef(subject)) return;
    if (tokenEnd(claims) <= this.#clock() / 1000) {
      const expired = {
        ok: false,
        code: 'token_expired',
        advice: 'the Backstage token of a pipeline lives as long as the token of its job, and at most 10 minutes',
      } as const;
      throw await this.#signIns.refuse(new TokenRejectedError(expired), refusedToken(expired));
    }
    if (!this.#signIns.knows(subject)) {
      const error = new AuthenticationError('the sign-in of this pipeline has ended, or is not known here');
      throw await this.#signIns.refuse(coded('not_signed_in', error), { event: 'token-refused', result: 'DENY' });
    }
  }
}
