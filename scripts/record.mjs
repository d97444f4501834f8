// `npm run record`: decisions under load through a kill and an outage, and the audit trail held against the answers.
import { launch } from './lib/launch.mjs';

await launch('plugin-js/dev/auditRun/run.ts');
