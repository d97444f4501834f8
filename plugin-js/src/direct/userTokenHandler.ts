import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { unverifiedClaims, type Claimed } from '../service/unverified';
import type { IssuedTokens } from './issuedTokens';

/** The Backstage user token of a request, as it was read once for everybody who looks at it */
export interface UserToken {
  subject: string;
  claims: Claimed;
  /**
   * Whether it is one of Backstage's; `false` where it is of another kind, which others judge.
   * @throws AuthenticationError for one that only says so, as Backstage itself does
   */
  proved(): Promise<boolean>;
}

/**
 * Looks at a user token before the request goes on.
 *
 * Nothing of it is proved until that is asked for, and so good for looking something up only: whoever is refused, told of somebody's
 * standing or written down was proved to have come.
 *
 * @throws what the request is refused with
 */
export type Look = (token: UserToken) => Promise<void>;

/**
 * Looks at the Backstage user token of a request once the inner handler has let it pass: a user's own, or the one that another plugin
 * brings. A user's own is verified by Backstage only afterwards.
 */
export class UserTokenHandler implements PluginTokenHandler {
  readonly #inner: PluginTokenHandler;
  readonly #issued: Pick<IssuedTokens, 'proves'>;
  readonly #looks: readonly Look[];

  constructor(inner: PluginTokenHandler, issued: Pick<IssuedTokens, 'proves'>, looks: readonly Look[]) {
    this.#inner = inner;
    this.#issued = issued;
    this.#looks = looks;
  }

  issueToken(options: Parameters<PluginTokenHandler['issueToken']>[0]): ReturnType<PluginTokenHandler['issueToken']> {
    return this.#inner.issueToken(options);
  }

  /** `read`: what the token says of itself, where somebody has read it before */
  async verifyToken(token: string, read?: Claimed): ReturnType<PluginTokenHandler['verifyToken']> {
    const answer = await this.#inner.verifyToken(token);
    const brought = answer?.limitedUserToken;
    const claims = answer ? brought && unverifiedClaims(brought) : (read ?? unverifiedClaims(token));
    if (!claims || claims.subject === undefined) return answer;
    // Of what another plugin brings that plugin's own token is the proof, and it has verified the user's.
    const proved = async () => answer !== undefined || this.#issued.proves(token);
    for (const look of this.#looks) await look({ subject: claims.subject, claims, proved });
    return answer;
  }
}
