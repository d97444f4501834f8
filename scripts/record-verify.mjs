// `npm run record:verify`: how long `audit/verify` takes over a million records.
import { launch } from './lib/launch.mjs';

await launch('plugin-js/dev/auditRun/verify.ts');
