export { permissionModuleEntraPolicy as default } from './module';
export { policyFallbackExtensionPoint, type PolicyFallbackExtensionPoint } from './fallback';
