/** Claims challenges as Microsoft specifies them: which sign-in to ask Entra for, said to a client that understands it */
import type { Explanation, Issuer, Requirement, StepUp } from '../core';
import type { DirectCall } from './directCall';

/** What a client asks Entra for, as it stands in the parameter `claims`; Entra knows one for authentication contexts only */
export function claimsOf({ authContext }: Requirement): string | undefined {
  if (authContext === undefined) return undefined;
  return JSON.stringify({ access_token: { acrs: { essential: true, value: authContext } } });
}

/** The same explanation with what to ask Entra for */
export function withClaims(explanation: Explanation): Explanation {
  if (!explanation.stepUp) return explanation;
  const stepUp = explanation.stepUp.map((requirement): StepUp => {
    const claims = claimsOf(requirement);
    return claims === undefined ? requirement : { ...requirement, claims };
  });
  return { ...explanation, stepUp };
}

/**
 * The header `WWW-Authenticate` of a 401, in base64; `undefined` where a challenge would not help, or not be understood: the client
 * must have declared the capability `cp1`.
 *
 * One context at a time, as the format has one value; after it the next is asked for.
 */
export function challengeHeader(call: DirectCall, stepUp: readonly StepUp[] | undefined): string | undefined {
  const claims = stepUp?.map(claimsOf).find(found => found !== undefined);
  if (!call.takesChallenges || claims === undefined) return undefined;
  const parameters = {
    realm: call.issuer.tenantId,
    authorization_uri: authorizeEndpoint(call.issuer),
    error: 'insufficient_claims',
    claims: Buffer.from(claims).toString('base64'),
  };
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return `Bearer ${pairs.join(', ')}`;
}

function authorizeEndpoint({ authority, tenantId }: Issuer): string {
  return `${authority}/${tenantId}/oauth2/v2.0/authorize`;
}
