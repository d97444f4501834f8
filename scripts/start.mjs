// `npm start`: the simulated tenant, a real backend and the story.
import { launch } from './lib/launch.mjs';

await launch('plugin-js/dev/start.ts');
