import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { sessionsAreHere } from '../service/installed';
import { entraAccessServiceRef } from '../service/ref';
import { ownersClient } from './ownersClient';
import { ownershipHere } from './ownership';
import { OwnershipElsewhere } from './ownershipElsewhere';
import { ownershipRules } from './ownershipRules';

/** Teaches the catalog the rules `IS_OWNED_BY_PRINCIPAL` and `IS_NOT_OWNED_BY_PRINCIPAL` */
export const catalogModuleEntraRules = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'entra-rules',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        discovery: coreServices.discovery,
        entraAccess: entraAccessServiceRef,
        instance: coreServices.rootInstanceMetadata,
        logger: coreServices.logger,
        permissionsRegistry: coreServices.permissionsRegistry,
      },
      async init({ auth, discovery, entraAccess, instance, logger, permissionsRegistry }) {
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
