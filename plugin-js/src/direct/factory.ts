import { pluginTokenHandlerDecoratorServiceRef, type PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { entraAccessServiceRef } from '../service/ref';
import { DirectCalls } from './decorator';
import { PipelineTokens } from './pipelineTokens';
import { RevokedTokens } from './revokedTokens';
import { SessionLoading } from './sessionLoading';
import { UserTokens } from './userTokens';

type Decorator = (inner: PluginTokenHandler) => PluginTokenHandler;

/**
 * Direct calls together with a decorator of one's own: Backstage takes only one. Ours is the outer one, and hands every
 * token that is not of our issuers to `own`.
 */
export function directCallsWith(own: Decorator) {
  return createServiceFactory({
    service: pluginTokenHandlerDecoratorServiceRef,
    deps: { discovery: coreServices.discovery, entraAccess: entraAccessServiceRef },
    createRootContext: () => new UserTokens(),
    factory({ discovery, entraAccess }, userTokens): Decorator {
      const loaded: Decorator = inner => new SessionLoading(own(inner), entraAccess);
      // Also without pipelines in the configuration: they may have been struck off a minute ago, or be known to another process only.
      const pipelines: Decorator = inner => new PipelineTokens(loaded(inner), entraAccess);
      const loading: Decorator = inner => new RevokedTokens(pipelines(inner), entraAccess);
      if (!entraAccess.core.directCalls) return loading;
      return inner => new DirectCalls(loading(inner), { entraAccess, discovery, userTokens });
    },
  });
}

/**
 * Direct calls: any plugin's API with `Authorization: Bearer <Entra access token>`. Also where they are switched off, the
 * sign-in behind every Backstage user token is loaded
 */
export const directCallsServiceFactory = directCallsWith(inner => inner);
