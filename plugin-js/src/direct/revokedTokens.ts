import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import type { EntraAccess } from '../service/entraAccess';
import type { Claimed } from '../service/unverified';
import { UserTokenHandler } from './userTokenHandler';

/** Whoever knows whose account is in force: `EntraAccess` */
type Accounts = Pick<EntraAccess, 'refuseRevoked'>;

/**
 * Ends the Backstage tokens of people whose account is out of force while they would still count, and those that were issued before
 * all sign-ins were ended. So they end also for routes that ask no policy. The inner handler has looked for the session by then.
 */
export class RevokedTokens extends UserTokenHandler {
  readonly #accounts: Accounts;

  constructor(inner: PluginTokenHandler, accounts: Accounts) {
    super(inner);
    this.#accounts = accounts;
  }

  /** @throws TokenRejectedError `principal_revoked` */
  protected look(subject: string, claims: Claimed, proved: boolean): Promise<void> {
    return this.#accounts.refuseRevoked(subject, claims, proved);
  }
}
