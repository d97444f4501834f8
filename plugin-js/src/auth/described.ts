import { AuthenticationError } from '@backstage/errors';
import { notSignedIn } from '../audit/callers';
import type { PrincipalHandle } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { SignIn } from './signIn';

/**
 * Who it is that has just been verified.
 * @throws AuthenticationError when the core does not know any more
 */
export async function described(entraAccess: EntraAccess, handle: PrincipalHandle): Promise<SignIn> {
  const principal = entraAccess.core.describe(handle);
  if (principal) return { handle, principal };
  const error = new AuthenticationError('the sign-in could not be completed; try again');
  throw await entraAccess.refuse(coded('sign_in_incomplete', error), notSignedIn());
}
