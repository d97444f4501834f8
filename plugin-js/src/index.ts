/**
 * Entra Access for Backstage: sign-in, permissions and ownership from Microsoft Entra ID.
 *
 * `backend.add(import('backstage-plugin-entra-access-backend'))` installs everything; the subpaths `/auth`, `/permission`,
 * `/catalog` and `/access` install one feature each.
 *
 * @packageDocumentation
 */
import { createBackendFeatureLoader } from '@backstage/backend-plugin-api';

import { authModuleEntraProvider } from './auth/module';
import { catalogModuleEntraRules } from './catalog/module';
import { entraAccessPlugin } from './access/plugin';
import { permissionModuleEntraPolicy } from './permission/module';

export { authModuleEntraProvider, catalogModuleEntraRules, entraAccessPlugin, permissionModuleEntraPolicy };
export { entraAccessServiceRef } from './service/ref';
export type { EntraAccess } from './service/entraAccess';
export * from './core';

/** All features */
export default createBackendFeatureLoader({
  loader: () => [authModuleEntraProvider, permissionModuleEntraPolicy, catalogModuleEntraRules, entraAccessPlugin],
});
