export { directCallsServiceFactory as default, directCallsWith } from './factory';
