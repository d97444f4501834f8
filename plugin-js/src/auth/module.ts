import { coreServices, createBackendModule, type LoggerService } from '@backstage/backend-plugin-api';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import type { EntraCore, Principal } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { pipelineEnd } from '../service/pipelineLife';
import { entraAccessServiceRef } from '../service/ref';
import { described } from './described';
import { Identities } from './identity';
import { offeredToken } from './offered';
import { PLACE, readOptions, type ProviderOptions } from './options';
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
      const { token, purpose } = await offered(() => offeredToken(req, options, entraAccess.core));
      const principal = await entraAccess.authenticate(token, purpose);
      await entraAccess.claimUse(principal);
      const result = await described(entraAccess, principal);
      return { result, providerInfo: pipelineInfo(result.principal) };
    },
  });

  async function offered(find: () => ReturnType<typeof offeredToken>) {
    try {
      return find();
    } catch (error) {
      throw await entraAccess.refuse(error as Error, { event: 'token-refused', result: 'DENY' });
    }
  }
}

function pipelineInfo({ kind, issuer, pipeline, expiresAt }: Principal): PipelineInfo | undefined {
  const end = pipelineEnd({ kind, expiresAt }, Math.floor(Date.now() / 1000));
  if (!pipeline || end === undefined) return undefined;
  return { pipeline: issuer, trust: pipeline.trust, expiresAt: new Date(end * 1000).toISOString() };
}

/** Everything starts without the provider, and whoever comes with a token learns that it is missing; the operator should, too */
export function warnOfNoProvider(
  { directCalls, issuers }: Pick<EntraCore, 'directCalls' | 'issuers'>,
  logger: Pick<LoggerService, 'warn'>,
): void {
  const pipelines = issuers.some(({ pipeline }) => pipeline);
  if (!directCalls && !pipelines) return;
  const refused = [...(directCalls ? ['direct calls'] : []), ...(pipelines ? ['jobs of pipelines'] : [])].join(' and ');
  const otherwise = directCalls && !pipelines ? ', or switch direct calls off: `entraAccess.directCalls: false`' : '';
  logger.warn(`${PLACE} is missing, so ${refused} are refused (add \`auth.providers.entra: {}\`${otherwise})`);
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
        config: coreServices.rootConfig,
        entraAccess: entraAccessServiceRef,
        logger: coreServices.logger,
        providers: authProvidersExtensionPoint,
      },
      async init({ auth, catalog, config, entraAccess, logger, providers }) {
        if (!config.has(PLACE)) warnOfNoProvider(entraAccess.core, logger);
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
