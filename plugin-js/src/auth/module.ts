import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import type { EntraAccess } from '../service/entraAccess';
import { entraAccessServiceRef } from '../service/ref';
import { described } from './described';
import { Identities } from './identity';
import { offeredToken } from './offered';
import { readOptions, type ProviderOptions } from './options';
import { signIn, type SignIn } from './signIn';

/** The proxy authenticator: verifies the token itself, whatever stands in front of Backstage */
export function createEntraAuthenticator(entraAccess: EntraAccess) {
  return createProxyAuthenticator<ProviderOptions, SignIn, undefined>({
    defaultProfileTransform: async ({ principal }) => ({ profile: { displayName: principal.name ?? undefined } }),
    initialize: ({ config }) => readOptions(config.get()),
    async authenticate({ req }, options) {
      const { token, purpose } = offeredToken(req, options, entraAccess.core);
      const principal = await entraAccess.authenticate(token, purpose);
      await entraAccess.claimUse(principal);
      return { result: described(entraAccess, principal) };
    },
  });
}

/** Sign-in with an Entra token: `GET|POST /api/auth/entra/refresh` */
export const authModuleEntraProvider = createBackendModule({
  pluginId: 'auth',
  moduleId: 'entra-provider',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        entraAccess: entraAccessServiceRef,
        logger: coreServices.logger,
        providers: authProvidersExtensionPoint,
      },
      async init({ auth, catalog, entraAccess, logger, providers }) {
        const identities = new Identities({ entraAccess, catalog, auth, logger });
        providers.registerProvider({
          providerId: 'entra',
          factory: createProxyAuthProviderFactory<SignIn>({
            authenticator: createEntraAuthenticator(entraAccess),
            signInResolver: async ({ result }, context) => signIn(result, context, entraAccess, identities),
          }),
        });
      },
    });
  },
});
