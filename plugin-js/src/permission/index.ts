export { permissionModuleEntraPolicy as default } from './module';
