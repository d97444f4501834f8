import { createBackend } from '@backstage/backend-defaults';
import { rootConfigServiceFactory } from '@backstage/backend-defaults/rootConfig';
import authBackend from '@backstage/plugin-auth-backend';
import catalogBackend from '@backstage/plugin-catalog-backend';
import permissionBackend from '@backstage/plugin-permission-backend';
import type { BackendFeature } from '@backstage/backend-plugin-api';
import entraAccess from '../src';
import externalTokenHandler from '../src/external';
import microsoftProvider from '../src/microsoft';
import { closableDatabases } from './databases';

/** A running backend */
export interface RunningBackend {
  stop(): Promise<void>;
}

/**
 * Starts a backend from `--config FILE` arguments, with what a company has plus Entra Access and `features` of a test;
 * `access` in the place of all features of Entra Access
 */
export async function startBackend(
  args: string[],
  features: readonly BackendFeature[] = [],
  access: readonly BackendFeature[] = [entraAccess],
): Promise<RunningBackend> {
  const backend = createBackend();
  const databases = closableDatabases();
  backend.add(rootConfigServiceFactory({ argv: args, watch: false }));
  backend.add(databases.factory);
  backend.add(authBackend);
  backend.add(catalogBackend);
  backend.add(permissionBackend);
  access.forEach(feature => backend.add(feature));
  // Both wait until the configuration names them.
  backend.add(externalTokenHandler);
  backend.add(microsoftProvider);
  features.forEach(feature => backend.add(feature));
  const stop = async () => {
    await backend.stop();
    await databases.close();
  };
  try {
    await backend.start();
  } catch (error) {
    await databases.close();
    throw error;
  }
  return { stop };
}
