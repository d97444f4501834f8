import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { ServerPermissionClient } from '@backstage/plugin-permission-node';
import { entraPolicyServiceRef } from '../permission/ref';
import { InProcessPermissions } from './permissions';
import { VerifiedUsers } from './verifiedUsers';

/**
 * `coreServices.permissions` for backends that have the plugin `permission` in the same process: answers as the stock service, without
 * going over HTTP to ask it
 */
export const entraPermissionsServiceFactory = createServiceFactory({
  service: coreServices.permissions,
  deps: {
    auth: coreServices.auth,
    config: coreServices.rootConfig,
    discovery: coreServices.discovery,
    plugin: coreServices.pluginMetadata,
    policy: entraPolicyServiceRef,
    rootLifecycle: coreServices.rootLifecycle,
    rootLogger: coreServices.rootLogger,
  },
  // A token says the same to every plugin.
  createRootContext({ policy, rootLifecycle, rootLogger }) {
    rootLifecycle.addStartupHook(() => {
      if (policy.installed) return;
      rootLogger.warn(
        'permissions are still asked over HTTP: the policy of Entra Access is not installed in this backend',
      );
    });
    return new VerifiedUsers();
  },
  factory({ auth, config, discovery, plugin, policy }, users) {
    return new InProcessPermissions({
      auth,
      stock: ServerPermissionClient.fromConfig(config, { auth, discovery }),
      policy,
      plugin: plugin.getId(),
      users,
      enabled: config.getOptionalBoolean('permission.enabled') ?? false,
      batched: config.getOptionalBoolean('permission.EXPERIMENTAL_enableBatchedRequests') ?? false,
    });
  },
});
