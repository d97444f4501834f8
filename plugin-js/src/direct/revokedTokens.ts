import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import type { EntraAccess } from '../service/entraAccess';
import { unverifiedClaims } from '../service/unverified';

/** Whoever knows whose account is in force: `EntraAccess` */
type Accounts = Pick<EntraAccess, 'refuseRevoked'>;

/**
 * Ends the Backstage tokens of people whose account is out of force while they would still count, and those that were issued before
 * all sign-ins were ended. So they end also for routes that ask no policy.
 *
 * It only ever refuses, so what it reads need not be proved: whoever changes a token fails at Backstage's own check. The inner
 * handler has looked for the session by then.
 */
export class RevokedTokens implements PluginTokenHandler {
  readonly #inner: PluginTokenHandler;
  readonly #accounts: Accounts;

  constructor(inner: PluginTokenHandler, accounts: Accounts) {
    this.#inner = inner;
    this.#accounts = accounts;
  }

  issueToken(options: Parameters<PluginTokenHandler['issueToken']>[0]): ReturnType<PluginTokenHandler['issueToken']> {
    return this.#inner.issueToken(options);
  }

  /** @throws TokenRejectedError `principal_revoked` */
  async verifyToken(token: string): ReturnType<PluginTokenHandler['verifyToken']> {
    const answer = await this.#inner.verifyToken(token);
    const userToken = answer ? answer.limitedUserToken : token;
    const claims = userToken === undefined ? undefined : unverifiedClaims(userToken);
    if (claims?.subject !== undefined) await this.#accounts.refuseRevoked(claims.subject, claims);
    return answer;
  }
}
