export { catalogModuleEntraRules as default } from './module';
