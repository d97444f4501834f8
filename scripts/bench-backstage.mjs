// `npm run bench:backstage`: end to end on PostgreSQL, beside policies that one would write by hand and the RBAC plugin.
import { benchPeers } from './lib/builds.mjs';
import { launch } from './lib/launch.mjs';

await launch('bench/backstage/run.ts', benchPeers);
