import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { catalogProcessingExtensionPoint } from '@backstage/plugin-catalog-node';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { sessionsAreHere } from '../service/installed';
import { entraAccessServiceRef } from '../service/ref';
import { ChangeNotices } from './changeNotices';
import { ownersClient } from './ownersClient';
import { ownershipHere } from './ownership';
import { OwnershipElsewhere } from './ownershipElsewhere';
import { ownershipRules } from './ownershipRules';

/** Teaches the catalog the rules `IS_OWNED_BY_PRINCIPAL` and `IS_NOT_OWNED_BY_PRINCIPAL`, and to tell when groups or owners change */
export const catalogModuleEntraRules = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'entra-rules',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        discovery: coreServices.discovery,
        entraAccess: entraAccessServiceRef,
        events: eventsServiceRef,
        instance: coreServices.rootInstanceMetadata,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        permissionsRegistry: coreServices.permissionsRegistry,
        processing: catalogProcessingExtensionPoint,
      },
      async init({
        auth,
        discovery,
        entraAccess,
        events,
        instance,
        lifecycle,
        logger,
        permissionsRegistry,
        processing,
      }) {
        const notices = new ChangeNotices({ events, logger });
        processing.addProcessor(notices);
        lifecycle.addShutdownHook(() => notices.close());
        if (await sessionsAreHere(instance)) {
          permissionsRegistry.addPermissionRules(ownershipRules(ownershipHere(entraAccess)));
          return;
        }
        logger.info('who owns what is asked of the plugin entra-access in another backend');
        const elsewhere = new OwnershipElsewhere({ ask: ownersClient({ auth, discovery }), logger });
        entraAccess.elsewhere = elsewhere;
        permissionsRegistry.addPermissionRules(ownershipRules(elsewhere));
      },
    });
  },
});
