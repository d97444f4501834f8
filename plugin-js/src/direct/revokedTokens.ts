import type { EntraAccess } from '../service/entraAccess';
import type { Look } from './userTokenHandler';

/** Whoever knows whose account is in force: `EntraAccess` */
type Accounts = Pick<EntraAccess, 'refuseRevoked'>;

/**
 * Ends the Backstage tokens of people whose account is out of force while they would still count, and those that were issued before
 * all sign-ins were ended. So they end also for routes that ask no policy. The session was looked for before.
 */
export function endRevoked(accounts: Accounts): Look {
  return ({ subject, claims, proved }) => accounts.refuseRevoked(subject, claims, proved);
}
