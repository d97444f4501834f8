import { SESSION_REF, type Wanted } from '../service/sharedSessions';
import type { Look } from './userTokenHandler';

/** Whatever knows who is signed in: `EntraAccess` */
interface Sessions {
  ensure(entityRef: string, wanted?: Wanted): Promise<unknown>;
}

/**
 * Has the sign-in behind a Backstage user token at hand before the request goes on: rules of the catalog are asked in one
 * go and cannot wait for a database.
 *
 * A made-up token can have a session looked up, within the bounds of `ensure`, and nothing more.
 */
export function loadSession(sessions: Sessions): Look {
  return async ({ subject, claims }) => {
    // A token that lives longer than the session that is known came with a newer sign-in, maybe on another replica.
    if (SESSION_REF.test(subject)) await sessions.ensure(subject, { until: claims.expires });
  };
}
