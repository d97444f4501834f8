import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { ConfigurationError } from '../core';
import { entraAccessServiceRef } from '../service/ref';
import { EntraPermissionPolicy } from './policy';

/** The permission policy of the backend */
export const permissionModuleEntraPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'entra-policy',
  register(env) {
    env.registerInit({
      deps: { config: coreServices.rootConfig, policy: policyExtensionPoint, entraAccess: entraAccessServiceRef },
      async init({ config, policy, entraAccess }) {
        if (config.getOptional('permission.enabled') !== true) {
          throw new ConfigurationError({
            path: 'permission.enabled',
            message: 'is not true, so Backstage would ask no policy and allow everything',
            hint: 'set `permission.enabled: true`',
          });
        }
        policy.setPolicy(new EntraPermissionPolicy(entraAccess));
      },
    });
  },
});
