import { AuthenticationError } from '@backstage/errors';
import type { Purpose } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { SignIn } from './signIn';

/**
 * Verifies a token and tells whose it is.
 * @throws TokenRejectedError with the stable code
 */
export async function verified(entraAccess: EntraAccess, token: string, purpose: Purpose): Promise<SignIn> {
  const handle = await entraAccess.authenticate(token, purpose);
  const principal = entraAccess.core.describe(handle);
  if (!principal)
    throw coded('sign_in_incomplete', new AuthenticationError('the sign-in could not be completed; try again'));
  return { handle, principal };
}
