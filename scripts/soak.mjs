// `npm run soak [-- --minutes N] [--polling]`: replicas under load, while people leave and everything fails in turn.
import { launch } from './lib/launch.mjs';

await launch('plugin-js/dev/soak/soak.ts');
