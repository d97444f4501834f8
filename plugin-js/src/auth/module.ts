import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import type { Principal } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { pipelineEnd } from '../service/pipelineLife';
import { entraAccessServiceRef } from '../service/ref';
import { described } from './described';
import { Identities } from './identity';
import { offeredToken } from './offered';
import { readOptions, type ProviderOptions } from './options';
import { signIn, type SignIn } from './signIn';

/** What a job is told: Backstage's own figures are those of every token */
interface PipelineInfo {
  pipeline: string;
  trust: string;
  /** When its Backstage token ends, ISO 8601 */
  expiresAt: string;
}

/** The proxy authenticator: verifies the token itself, whatever stands in front of Backstage */
export function createEntraAuthenticator(entraAccess: EntraAccess) {
  return createProxyAuthenticator<ProviderOptions, SignIn, PipelineInfo | undefined>({
    defaultProfileTransform: async ({ principal }) => ({ profile: { displayName: principal.name ?? undefined } }),
    initialize: ({ config }) => readOptions(config.get()),
    async authenticate({ req }, options) {
      const { token, purpose } = offeredToken(req, options, entraAccess.core);
      const principal = await entraAccess.authenticate(token, purpose);
      await entraAccess.claimUse(principal);
      const result = described(entraAccess, principal);
      return { result, providerInfo: pipelineInfo(result.principal) };
    },
  });
}

function pipelineInfo({ kind, issuer, pipeline, expiresAt }: Principal): PipelineInfo | undefined {
  const end = pipelineEnd({ kind, expiresAt }, Math.floor(Date.now() / 1000));
  if (!pipeline || end === undefined) return undefined;
  return { pipeline: issuer, trust: pipeline.trust, expiresAt: new Date(end * 1000).toISOString() };
}

/** Sign-in with an Entra token or that of a pipeline: `GET|POST /api/auth/entra/refresh` */
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
