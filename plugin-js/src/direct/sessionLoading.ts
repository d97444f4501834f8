import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import type { Wanted } from '../service/sharedSessions';
import { unverifiedClaims } from '../service/unverified';

/** What the entity ref of a person, an application or a pipeline looks like; nothing else has a session */
const USER_REF = /^(?:user|pipeline):[^/\s]{1,63}\/[^/\s]{1,63}$/;

/** Whatever knows who is signed in: `EntraAccess` */
interface Sessions {
  ensure(entityRef: string, wanted?: Wanted): Promise<void>;
}

/**
 * Has the sign-in behind a Backstage user token at hand before the request goes on: rules of the catalog are asked in one
 * go and cannot wait for a database.
 *
 * A token that another plugin brings is verified by then; a user's own is verified by Backstage afterwards, so a made-up one
 * can have a session looked up, within the bounds of `ensure`, and nothing more.
 */
export class SessionLoading implements PluginTokenHandler {
  readonly #inner: PluginTokenHandler;
  readonly #sessions: Sessions;

  constructor(inner: PluginTokenHandler, sessions: Sessions) {
    this.#inner = inner;
    this.#sessions = sessions;
  }

  issueToken(options: Parameters<PluginTokenHandler['issueToken']>[0]): ReturnType<PluginTokenHandler['issueToken']> {
    return this.#inner.issueToken(options);
  }

  async verifyToken(token: string): ReturnType<PluginTokenHandler['verifyToken']> {
    const answer = await this.#inner.verifyToken(token);
    const userToken = answer ? answer.limitedUserToken : token;
    const { subject, expires } = (userToken === undefined ? undefined : unverifiedClaims(userToken)) ?? {};
    // A token that lives longer than the session that is known came with a newer sign-in, maybe on another replica.
    if (subject !== undefined && USER_REF.test(subject)) await this.#sessions.ensure(subject, { until: expires });
    return answer;
  }
}
