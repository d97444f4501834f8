import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { entraAccessServiceRef } from '../service/ref';
import { createOwnershipRules } from './ownershipRules';

/** Teaches the catalog the rules `IS_OWNED_BY_PRINCIPAL` and `IS_NOT_OWNED_BY_PRINCIPAL` */
export const catalogModuleEntraRules = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'entra-rules',
  register(env) {
    env.registerInit({
      deps: { permissionsRegistry: coreServices.permissionsRegistry, entraAccess: entraAccessServiceRef },
      async init({ permissionsRegistry, entraAccess }) {
        permissionsRegistry.addPermissionRules(createOwnershipRules(entraAccess));
      },
    });
  },
});
