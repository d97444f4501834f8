/**
 * Run as a process of its own: one part of a Backstage that is split over several backends.
 *
 * `part.ts access|catalog --config FILE`: the catalog with what it needs of Entra Access, or everything else
 */
import { createBackend } from '@backstage/backend-defaults';
import { rootConfigServiceFactory } from '@backstage/backend-defaults/rootConfig';
import authBackend from '@backstage/plugin-auth-backend';
import catalogBackend from '@backstage/plugin-catalog-backend';
import permissionBackend from '@backstage/plugin-permission-backend';
import type { BackendFeature } from '@backstage/backend-plugin-api';
import { closableDatabases } from '../../dev/databases';
import entraAccess from '../../src';
import catalogRules from '../../src/catalog';
import directCalls from '../../src/direct';

const PARTS: Record<string, BackendFeature[]> = {
  access: [authBackend, permissionBackend, entraAccess],
  catalog: [catalogBackend, catalogRules, directCalls],
};

async function main(): Promise<void> {
  const [part = '', ...args] = process.argv.slice(2);
  const features = PARTS[part];
  if (!features) throw new Error(`there is no part ${part}`);
  const backend = createBackend();
  const databases = closableDatabases();
  backend.add(rootConfigServiceFactory({ argv: args, watch: false }));
  backend.add(databases.factory);
  features.forEach(feature => backend.add(feature));
  const stop = () =>
    void backend
      .stop()
      .then(() => databases.close())
      .finally(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  await backend.start();
}

main().catch(error => {
  process.stderr.write(`\nthe backend did not start: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
