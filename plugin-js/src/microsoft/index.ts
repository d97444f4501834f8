export { authModuleMicrosoftProvider as default } from './module';
