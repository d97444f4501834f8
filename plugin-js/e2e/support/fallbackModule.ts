import { createBackendModule } from '@backstage/backend-plugin-api';
import type { PermissionPolicy } from '@backstage/plugin-permission-node';
import { policyFallbackExtensionPoint } from '../../src';

/** A module that brings a policy of a company's own, as the page about policies shows it */
export const fallbackModule = (policy: PermissionPolicy, moduleId = 'home-made') =>
  createBackendModule({
    pluginId: 'permission',
    moduleId,
    register(env) {
      env.registerInit({
        deps: { fallback: policyFallbackExtensionPoint },
        async init({ fallback }) {
          fallback.setFallbackPolicy(policy);
        },
      });
    },
  });
