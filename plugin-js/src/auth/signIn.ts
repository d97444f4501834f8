import type { AuthResolverContext, BackstageSignInResult } from '@backstage/plugin-auth-node';
import { AuthenticationError } from '@backstage/errors';
import { signedIn } from '../audit/callers';
import type { Principal, PrincipalHandle } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { coded } from '../service/coded';
import { pipelineEnd, UNTIL_CLAIM } from '../service/pipelineLife';
import { unverifiedClaims } from '../service/unverified';
import type { Identities } from './identity';

/** A verified caller on the way in */
export interface SignIn {
  handle: PrincipalHandle;
  principal: Principal;
}

/**
 * Issues a Backstage token, and remembers what the sign-in established for as long as that token lives, or a shorter time for a
 * pipeline; where sessions are
 * kept in the database, the token is not handed out before. `ent` lists the owners that own something: short, whatever the
 * number of groups.
 */
export async function signIn(
  { handle, principal }: SignIn,
  context: Pick<AuthResolverContext, 'issueToken'>,
  entraAccess: EntraAccess,
  identities: Pick<Identities, 'entityRefOf'>,
): Promise<BackstageSignInResult> {
  // Before anything is waited for: the core gives the oldest callers up.
  const owners = entraAccess.core.owners(handle, { onlyOwning: true });
  let entityRef: string | undefined;
  try {
    if (!owners)
      throw coded('sign_in_incomplete', new AuthenticationError('the sign-in could not be completed; try again'));
    entityRef = await identities.entityRefOf(principal);
    await entraAccess.sessions.prepare(entityRef, principal);
    const end = pipelineEnd(principal, Math.floor(Date.now() / 1000));
    const claims = { sub: entityRef, ent: [...new Set([entityRef, ...owners])], ...(end && { [UNTIL_CLAIM]: end }) };
    const result = await context.issueToken({ claims });
    await entraAccess.sessions.establish(entityRef, principal, end ?? expiryOf(result.token));
    await entraAccess.audit.require(signedIn(principal, entityRef));
    return result;
  } catch (error) {
    const { code = 'sign_in_incomplete' } = error as { code?: string };
    throw await entraAccess.refuse(error as Error, signedIn(principal, entityRef, code));
  }
}

/** `exp` of the token that our own auth backend has just issued */
function expiryOf(token: string): number {
  const expires = unverifiedClaims(token)?.expires;
  if (expires === undefined)
    throw coded('sign_in_incomplete', new AuthenticationError('the issued token has no expiry'));
  return expires;
}
