import type { AuthResolverContext, BackstageSignInResult } from '@backstage/plugin-auth-node';
import { AuthenticationError } from '@backstage/errors';
import type { Principal, PrincipalHandle } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { coded } from '../service/coded';

/** A verified caller on the way in */
export interface SignIn {
  handle: PrincipalHandle;
  principal: Principal;
}

/**
 * The entity that stands for a principal; derived from its object id, which never changes and is never reused.
 *
 * An agent acting for a person carries that person's object id and must never be taken for them, nor they for it: it
 * lives in a namespace of its own.
 */
export function entityRefOf({ objectId, actor }: Principal): string {
  return actor ? `user:agent-${actor.clientId}/${objectId}` : `user:default/${objectId}`;
}

/**
 * Issues a Backstage token without asking for a User entity in the catalog, and remembers what the sign-in established
 * for as long as that token lives. `ent` lists the owners that own something: short, whatever the number of groups.
 */
export async function signIn(
  { handle, principal }: SignIn,
  context: Pick<AuthResolverContext, 'issueToken'>,
  entraAccess: EntraAccess,
): Promise<BackstageSignInResult> {
  const entityRef = entityRefOf(principal);
  entraAccess.sessions.claim(entityRef, principal);
  const owners = entraAccess.core.owners(handle, { onlyOwning: true });
  if (!owners)
    throw coded('sign_in_incomplete', new AuthenticationError('the sign-in could not be completed; try again'));
  const result = await context.issueToken({ claims: { sub: entityRef, ent: [...new Set([entityRef, ...owners])] } });
  entraAccess.sessions.open(entityRef, principal, expiryOf(result.token));
  return result;
}

/** `exp` of the token that our own auth backend has just issued */
function expiryOf(token: string): number {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const exp = (payload as { exp?: unknown }).exp;
  if (typeof exp !== 'number' || !Number.isSafeInteger(exp))
    throw coded('sign_in_incomplete', new AuthenticationError('the issued token has no expiry'));
  return exp;
}
