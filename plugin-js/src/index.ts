/**
 * Entra Access for Backstage: sign-in, permissions and ownership from Microsoft Entra ID.
 *
 * `backend.add(import('backstage-plugin-entra-access-backend'))` installs everything; the subpaths `/auth`, `/permission`,
 * `/catalog`, `/access` and `/direct` install one feature each. `/microsoft`, `/external`, `/in-process` and `/challenge` are not part
 * of everything.
 *
 * @packageDocumentation
 */
import { createBackendFeatureLoader } from '@backstage/backend-plugin-api';

import { authModuleEntraProvider } from './auth/module';
import { catalogModuleEntraRules } from './catalog/module';
import { entraAccessPlugin } from './access/plugin';
import { directCallsServiceFactory } from './direct/factory';
import { permissionModuleEntraPolicy } from './permission/module';

export {
  authModuleEntraProvider,
  catalogModuleEntraRules,
  directCallsServiceFactory,
  entraAccessPlugin,
  permissionModuleEntraPolicy,
};
export { entraPermissionsServiceFactory } from './inProcess/factory';
export { policyFallbackExtensionPoint, type PolicyFallbackExtensionPoint } from './permission/fallback';
export { entraAccessServiceRef } from './service/ref';
export type { ExplainedDecision, ExplainOptions } from './explain/explained';
export type { EntraAccess } from './service/entraAccess';
export * from './core';

/** All features */
export default createBackendFeatureLoader({
  loader: () => [
    authModuleEntraProvider,
    permissionModuleEntraPolicy,
    catalogModuleEntraRules,
    directCallsServiceFactory,
    entraAccessPlugin,
  ],
});
