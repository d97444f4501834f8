import { AuthenticationError } from '@backstage/errors';
import type { PrincipalHandle } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { SignIn } from './signIn';

/**
 * Who it is that has just been verified.
 * @throws AuthenticationError when the core does not know any more
 */
export function described(entraAccess: EntraAccess, handle: PrincipalHandle): SignIn {
  const principal = entraAccess.core.describe(handle);
  if (!principal)
    throw coded('sign_in_incomplete', new AuthenticationError('the sign-in could not be completed; try again'));
  return { handle, principal };
}
