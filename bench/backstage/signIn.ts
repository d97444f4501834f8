/** Signs anybody in who asks, with as many ownership claims as they like: for peers that bring no sign-in of their own. */
import { createBackendModule } from '@backstage/backend-plugin-api';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { CLAIMS, CROWDED_PERSON, PERSON, teamRef } from './catalog';

const claimsOf = (header?: string) => Array.from({ length: Number(header ?? 1) }, (_, at) => teamRef(at));

export const signInModule = createBackendModule({
  pluginId: 'auth',
  moduleId: 'bench-provider',
  register(env) {
    env.registerInit({
      deps: { providers: authProvidersExtensionPoint },
      async init({ providers }) {
        const authenticator = createProxyAuthenticator<undefined, string[], undefined>({
          defaultProfileTransform: async () => ({ profile: {} }),
          initialize: () => undefined,
          authenticate: async ({ req }) => ({ result: claimsOf(req.header('x-claims')) }),
        });
        providers.registerProvider({
          providerId: 'bench',
          factory: createProxyAuthProviderFactory<string[]>({
            authenticator,
            // Backstage keeps the claims by entity: the last to sign in under a ref would change those of all.
            signInResolver: async ({ result }, context) => {
              const sub = result.length > CLAIMS ? CROWDED_PERSON : PERSON;
              return context.issueToken({ claims: { sub, ent: [sub, ...result] } });
            },
          }),
        });
      },
    });
  },
});
