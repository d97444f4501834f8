import { AuthenticationError } from '@backstage/errors';
import { refusedToken } from '../audit/callers';
import { TokenRejectedError } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import { isPipelineRef, tokenEnd } from '../service/pipelineLife';
import type { Look } from './userTokenHandler';

const EXPIRED = {
  ok: false,
  code: 'token_expired',
  advice: 'the Backstage token of a pipeline lives as long as the token of its job, and at most 10 minutes',
} as const;

/** Whether somebody is signed in, here or where the sessions are */
type SignIns = Pick<EntraAccess, 'knows' | 'refuse'>;

/**
 * Ends the Backstage tokens of pipelines when the sign-in behind them ends: minutes, not the hour that Backstage gives to every
 * token. So they end also for routes that ask no policy. The session was looked for before.
 *
 * It refuses with TokenRejectedError `token_expired`, or with AuthenticationError when there is no sign-in behind the token.
 */
export function endPipelines(signIns: SignIns, clock: () => number = Date.now): Look {
  return async ({ subject, claims, proved }) => {
    if (!isPipelineRef(subject)) return;
    const ended = tokenEnd(claims) <= clock() / 1000;
    if (!ended && signIns.knows(subject)) return;
    if (!(await proved())) return;
    if (ended) {
      throw await signIns.refuse(new TokenRejectedError(EXPIRED), { ...refusedToken(EXPIRED), principal: subject });
    }
    const error = new AuthenticationError('the sign-in of this pipeline has ended, or is not known here');
    const record = { event: 'token-refused', result: 'DENY', principal: subject } as const;
    throw await signIns.refuse(coded('not_signed_in', error), record);
  };
}
