// `npm run bench`: the side-by-side measurements.
import { launch } from './lib/launch.mjs';

await launch('bench/run.ts');
