import { coreServices, createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';
import { readConfiguration } from './configuration';
import { EntraAccess } from './entraAccess';
import { isInstalled } from './installed';

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
        instance: coreServices.rootInstanceMetadata,
      },
      async factory({ config, logger, lifecycle, instance }) {
        // The plugin brings the database for sessions; without it they are kept in memory.
        const storeExpected = await isInstalled(instance, 'entra-access');
        const log = logger.child({ service: 'entra-access' });
        const entraAccess = new EntraAccess(readConfiguration(config), log, {
          storeExpected,
          auditExpected: storeExpected,
        });
        entraAccess.start();
        lifecycle.addShutdownHook(() => entraAccess.close());
        return entraAccess;
      },
    }),
});
