import { DatabaseManager } from '@backstage/backend-defaults/database';
import { coreServices, createServiceFactory, type DatabaseService } from '@backstage/backend-plugin-api';

type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

/**
 * The databases of one backend, with a way to close them.
 *
 * Backstage's own shutdown means to close them and stumbles (`DatabaseManager.shutdown` asks the knex configuration, an
 * object, for `includes`); the pools then keep the process alive, and no test could end.
 */
export function closableDatabases() {
  const open = new Set<Database>();
  const factory = createServiceFactory({
    service: coreServices.database,
    deps: {
      config: coreServices.rootConfig,
      lifecycle: coreServices.lifecycle,
      logger: coreServices.logger,
      plugin: coreServices.pluginMetadata,
      rootLifecycle: coreServices.rootLifecycle,
      rootLogger: coreServices.rootLogger,
    },
    createRootContext: ({ config, rootLifecycle, rootLogger }) =>
      DatabaseManager.fromConfig(config, { rootLifecycle, rootLogger }),
    factory({ plugin, lifecycle, logger }, manager): DatabaseService {
      const service = manager.forPlugin(plugin.getId(), { lifecycle, logger });
      return {
        ...service,
        async getClient() {
          const database = await service.getClient();
          open.add(database);
          return database;
        },
      };
    },
  });
  const close = async () => {
    await Promise.all([...open].map(database => database.destroy()));
  };
  return { factory, close };
}
