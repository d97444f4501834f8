export { entraAccessPlugin as default } from './plugin';
