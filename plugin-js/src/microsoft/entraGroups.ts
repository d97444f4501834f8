import { AuthenticationError } from '@backstage/errors';
import {
  createSignInResolverFactory,
  type OAuthAuthenticatorResult,
  type PassportProfile,
  type SignInResolver,
} from '@backstage/plugin-auth-node';
import { refusedToken } from '../audit/callers';
import { described } from '../auth/described';
import type { Identities } from '../auth/identity';
import { signIn } from '../auth/signIn';
import { TokenRejectedError } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';

const ELSEWHERE = {
  ok: false,
  code: 'audience_mismatch',
  advice: 'the ID token is for another client than `auth.providers.microsoft` names',
} as const;

/**
 * The sign-in resolver `entraGroups`: whoever the ID token names, with the groups in it; never what the profile says.
 * @param clients the client ids of this backend, for which alone an ID token may have been issued
 */
export function entraGroups(entraAccess: EntraAccess, identities: Identities, clients: ReadonlySet<string>) {
  return createSignInResolverFactory({
    create:
      (): SignInResolver<OAuthAuthenticatorResult<PassportProfile>> =>
      async ({ result }, context) => {
        const { idToken } = result.session;
        if (!idToken) throw await entraAccess.refuse(missing(), { event: 'token-refused', result: 'DENY' });
        const caller = await described(entraAccess, await entraAccess.authenticate(idToken, 'sign-in'));
        if (!caller.principal.clientId || !clients.has(caller.principal.clientId)) {
          const record = refusedToken(ELSEWHERE, caller.principal);
          throw await entraAccess.refuse(new TokenRejectedError(ELSEWHERE), record);
        }
        return signIn(caller, context, entraAccess, identities);
      },
  });
}

/** The code stands in the message, too: of a redirect flow Backstage hands on nothing else */
function missing(): AuthenticationError {
  const message =
    'id_token_missing: Entra sent no ID token, though the scope `openid` was asked for; see whether the app registration allows it';
  return coded('id_token_missing', new AuthenticationError(message));
}
