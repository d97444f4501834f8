export { entraPermissionsServiceFactory as default, entraPermissionsServiceFactory } from './factory';
