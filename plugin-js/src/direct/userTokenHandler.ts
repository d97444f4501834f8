import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { unverifiedClaims, type Claimed } from '../service/unverified';

/**
 * Looks at the Backstage user token of a request once the inner handler has let it pass: a user's own, or the one that another plugin
 * brings.
 *
 * A user's own is verified by Backstage only afterwards. So what is read here is not proved, and good for refusing and for looking
 * something up, never for letting anybody in.
 */
export abstract class UserTokenHandler implements PluginTokenHandler {
  readonly #inner: PluginTokenHandler;

  constructor(inner: PluginTokenHandler) {
    this.#inner = inner;
  }

  issueToken(options: Parameters<PluginTokenHandler['issueToken']>[0]): ReturnType<PluginTokenHandler['issueToken']> {
    return this.#inner.issueToken(options);
  }

  async verifyToken(token: string): ReturnType<PluginTokenHandler['verifyToken']> {
    const answer = await this.#inner.verifyToken(token);
    const userToken = answer ? answer.limitedUserToken : token;
    const claims = userToken === undefined ? undefined : unverifiedClaims(userToken);
    if (claims?.subject !== undefined) await this.look(claims.subject, claims, answer !== undefined);
    return answer;
  }

  /**
   * `proved`: another plugin, whose token was verified, brings it
   * @throws what the request is refused with
   */
  protected abstract look(subject: string, claims: Claimed, proved: boolean): Promise<void>;
}
