import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { AuthenticationError } from '@backstage/errors';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { z } from 'zod';
import { ConfigurationError } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { entraAccessServiceRef } from '../service/ref';
import { tokenFromHeader } from './header';
import { Identities } from './identity';
import { signIn, type SignIn } from './signIn';
import { coded } from '../service/coded';

const optionsSchema = z.strictObject({
  /** Name of the request header that carries the token */
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'a header name has letters, digits and dashes')
    .default('authorization')
    .transform(name => name.toLowerCase()),
});

/** The proxy authenticator: verifies the token itself, whatever stands in front of Backstage */
export function createEntraAuthenticator(entraAccess: EntraAccess) {
  return createProxyAuthenticator<z.infer<typeof optionsSchema>, SignIn, undefined>({
    defaultProfileTransform: async ({ principal }) => ({ profile: { displayName: principal.name ?? undefined } }),
    initialize({ config }) {
      const parsed = optionsSchema.safeParse(config.get());
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw new ConfigurationError({
        path: ['auth.providers.entra', ...(issue?.path ?? [])].join('.'),
        message: issue?.message ?? 'not valid',
      });
    },
    async authenticate({ req }, { header }) {
      const handle = await entraAccess.authenticate(tokenFromHeader(req, header));
      const principal = entraAccess.core.describe(handle);
      if (!principal)
        throw coded('sign_in_incomplete', new AuthenticationError('the sign-in could not be completed; try again'));
      return { result: { handle, principal } };
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
