import { pluginTokenHandlerDecoratorServiceRef, type PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { entraAccessServiceRef } from '../service/ref';
import { DirectCalls } from './decorator';
import { IssuedTokens } from './issuedTokens';
import { endPipelines } from './pipelineTokens';
import { endRevoked } from './revokedTokens';
import { loadSession } from './sessionLoading';
import { UserTokenHandler } from './userTokenHandler';
import { UserTokens } from './userTokens';

type Decorator = (inner: PluginTokenHandler) => PluginTokenHandler;

/**
 * Direct calls together with a decorator of one's own: Backstage takes only one. Ours is the outer one, and hands every
 * token that is not of our issuers to `own`.
 */
export function directCallsWith(own: Decorator) {
  return createServiceFactory({
    service: pluginTokenHandlerDecoratorServiceRef,
    deps: { discovery: coreServices.discovery, logger: coreServices.logger, entraAccess: entraAccessServiceRef },
    createRootContext: () => new UserTokens(),
    factory({ discovery, logger, entraAccess }, userTokens): Decorator {
      const issued = new IssuedTokens({ discovery, logger, refusals: entraAccess });
      // Pipelines also where none is in the configuration: they may have been struck off a minute ago, or be known to another process
      // only.
      const looks = [loadSession(entraAccess), endPipelines(entraAccess), endRevoked(entraAccess)];
      const looking = (inner: PluginTokenHandler) => new UserTokenHandler(own(inner), issued, looks);
      if (!entraAccess.core.directCalls) return looking;
      return inner => new DirectCalls(looking(inner), { entraAccess, discovery, userTokens });
    },
  });
}

/**
 * Direct calls: any plugin's API with `Authorization: Bearer <Entra access token>`. Also where they are switched off, the
 * sign-in behind every Backstage user token is loaded
 */
export const directCallsServiceFactory = directCallsWith(inner => inner);
