/** A backend in a process of its own: `peer.ts NAME --config FILE`. All have the same Backstage; what differs is the policy. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createBackend } from '@backstage/backend-defaults';
import { rootConfigServiceFactory } from '@backstage/backend-defaults/rootConfig';
import type { BackendFeature } from '@backstage/backend-plugin-api';
import authBackend from '@backstage/plugin-auth-backend';
import catalogBackend from '@backstage/plugin-catalog-backend';
import permissionBackend from '@backstage/plugin-permission-backend';
import { DIST } from '../cases/published';
import { TOOLS } from './tools';
import { ownersPolicy, trivialPolicy } from './policies';
import { signInModule } from './signIn';

/** From a folder of its own: the plugin brings its own copies of Backstage's libraries, as in any installation of this release */
const rbac = () =>
  createRequire(join(TOOLS, 'package.json'))('@backstage-community/plugin-rbac-backend').default as BackendFeature;

const FEATURES: Record<string, () => BackendFeature[]> = {
  trivial: () => [permissionBackend, trivialPolicy, signInModule],
  owners: () => [permissionBackend, ownersPolicy, signInModule],
  // It is the permission backend itself.
  rbac: () => [rbac(), signInModule],
  entraAccess: () => [permissionBackend, require(join(DIST, 'index.js')).default],
};

async function main([name = '', ...argv]: string[]): Promise<void> {
  const features = FEATURES[name];
  if (!features) throw new Error(`no peer is named ${name}`);
  const backend = createBackend();
  backend.add(rootConfigServiceFactory({ argv, watch: false }));
  backend.add(authBackend);
  backend.add(catalogBackend);
  features().forEach(feature => backend.add(feature));
  const stop = () => process.exit(0);
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  await backend.start();
  process.send?.('started');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
