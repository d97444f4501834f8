export { externalTokenHandlerServiceFactory as default } from './factory';
