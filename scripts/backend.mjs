// `npm run backend -- --config FILE`: the backend with every feature and no simulator.
import { launch } from './lib/launch.mjs';

await launch('plugin-js/dev/backend.ts');
