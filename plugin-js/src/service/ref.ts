import { coreServices, createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';
import { readConfiguration } from './configuration';
import { EntraAccess } from './entraAccess';

/** One for the process, whichever features are installed */
export const entraAccessServiceRef = createServiceRef<EntraAccess>({
  id: 'entra-access.service',
  scope: 'root',
  defaultFactory: async service =>
    createServiceFactory({
      service,
      deps: {
        config: coreServices.rootConfig,
        logger: coreServices.rootLogger,
        lifecycle: coreServices.rootLifecycle,
      },
      factory({ config, logger, lifecycle }) {
        const entraAccess = new EntraAccess(readConfiguration(config), logger.child({ service: 'entra-access' }));
        entraAccess.start();
        lifecycle.addShutdownHook(() => entraAccess.close());
        return entraAccess;
      },
    }),
});
