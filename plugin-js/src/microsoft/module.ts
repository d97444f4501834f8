import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import {
  microsoftAuthenticator,
  microsoftSignInResolvers,
} from '@backstage/plugin-auth-backend-module-microsoft-provider';
import {
  authProvidersExtensionPoint,
  commonSignInResolvers,
  createOAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { Identities } from '../auth/identity';
import { entraAccessServiceRef } from '../service/ref';
import { authenticator } from './authenticator';
import { readMicrosoftClients, RESOLVER } from './clients';
import { entraGroups } from './entraGroups';

/** Backstage's own interactive provider `microsoft` with one more sign-in resolver; in the place of the stock module */
export const authModuleMicrosoftProvider = createBackendModule({
  pluginId: 'auth',
  // The stock module's own id, so that both together are an error.
  moduleId: 'microsoft-provider',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        entraAccess: entraAccessServiceRef,
        logger: coreServices.logger,
        providers: authProvidersExtensionPoint,
      },
      async init({ auth, catalog, config, entraAccess, logger, providers }) {
        const identities = new Identities({ entraAccess, catalog, auth, logger });
        const resolver = entraGroups(entraAccess, identities, readMicrosoftClients(config));
        providers.registerProvider({
          providerId: 'microsoft',
          factory: createOAuthProviderFactory({
            authenticator,
            signInResolverFactories: {
              ...microsoftSignInResolvers,
              ...commonSignInResolvers,
              [RESOLVER]: resolver,
            },
          }),
        });
      },
    });
  },
});
