export { authModuleEntraProvider as default } from './module';
