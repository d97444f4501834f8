import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { ConfigurationError } from '../core';
import { entraAccessServiceRef } from '../service/ref';
import { EntraPermissionPolicy } from './policy';
import { PolicyReviewer } from './reviewer';

/** The permission policy of the backend */
export const permissionModuleEntraPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'entra-policy',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        config: coreServices.rootConfig,
        discovery: coreServices.discovery,
        logger: coreServices.logger,
        policy: policyExtensionPoint,
        entraAccess: entraAccessServiceRef,
        rootLifecycle: coreServices.rootLifecycle,
      },
      async init({ auth, config, discovery, logger, policy, entraAccess, rootLifecycle }) {
        if (config.getOptional('permission.enabled') !== true) {
          throw new ConfigurationError({
            path: 'permission.enabled',
            message: 'is not true, so Backstage would ask no policy and allow everything',
            hint: 'set `permission.enabled: true`',
          });
        }
        policy.setPolicy(new EntraPermissionPolicy(entraAccess, logger));
        const reviewer = new PolicyReviewer({
          auth,
          discovery,
          logger,
          report: warnings => (entraAccess.policyWarnings = warnings),
        });
        const review = () => void reviewer.review(entraAccess.policyText);
        // Once every plugin is there to be asked.
        rootLifecycle.addStartupHook(review);
        entraAccess.policyFile?.onLoad(review);
      },
    });
  },
});
