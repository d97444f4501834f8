import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { ConfigurationError } from '../core';
import { entraAccessServiceRef } from '../service/ref';
import { PolicyFallback, policyFallbackExtensionPoint } from './fallback';
import { entraPolicyServiceRef } from './ref';
import { PolicyReviewer } from './reviewer';

/** The permission policy of the backend */
export const permissionModuleEntraPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'entra-policy',
  register(env) {
    const fallback = new PolicyFallback();
    env.registerExtensionPoint(policyFallbackExtensionPoint, fallback);
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        config: coreServices.rootConfig,
        discovery: coreServices.discovery,
        logger: coreServices.logger,
        policy: policyExtensionPoint,
        entraAccess: entraAccessServiceRef,
        entraPolicy: entraPolicyServiceRef,
        rootLifecycle: coreServices.rootLifecycle,
      },
      async init({ auth, config, discovery, logger, policy, entraAccess, entraPolicy, rootLifecycle }) {
        if (config.getOptional('permission.enabled') !== true) {
          throw new ConfigurationError({
            path: 'permission.enabled',
            message: 'is not true, so Backstage would ask no policy and allow everything',
            hint: 'set `permission.enabled: true`',
          });
        }
        policy.setPolicy(entraPolicy);
        // Modules that bring a fallback are started before this one.
        entraPolicy.install(fallback.policy);
        const reviewer = new PolicyReviewer({
          auth,
          discovery,
          logger,
          report: warnings => (entraAccess.policyWarnings = warnings),
        });
        const review = () => void reviewer.review(entraAccess.policy);
        // Once every plugin is there to be asked.
        rootLifecycle.addStartupHook(review);
        entraAccess.policyFile?.onLoad(review);
      },
    });
  },
});
