/** Run as a process of its own, as Backstage leaves a good deal open where it does not start: two modules with a fallback each */
import { createBackend } from '@backstage/backend-defaults';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import permissionBackend from '@backstage/plugin-permission-backend';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import type { PermissionPolicy } from '@backstage/plugin-permission-node';
import { freePort } from '../../dev/freePort';
import { HOME_TENANT_ID } from '../../dev/tenant/tenantIds';
import { permissionModuleEntraPolicy } from '../../src';
import { fallbackModule } from './fallbackModule';

const REFUSAL: PermissionPolicy = { handle: async () => ({ result: AuthorizeResult.DENY }) };

async function start(modules: string[]): Promise<void> {
  const backend = createBackend();
  const port = await freePort();
  const data = {
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
    },
    permission: { enabled: true },
    entraAccess: {
      tenants: [{ tenantId: HOME_TENANT_ID, cloud: 'lab', audiences: ['api://backstage'] }],
      clouds: { lab: { authority: 'http://127.0.0.1:1' } },
      policy: { rules: [] },
    },
  };
  backend.add(
    createServiceFactory({ service: coreServices.rootConfig, deps: {}, factory: () => new ConfigReader(data) }),
  );
  backend.add(permissionBackend);
  backend.add(permissionModuleEntraPolicy);
  for (const id of modules) backend.add(fallbackModule(REFUSAL, id));
  await backend.start();
}

start(process.argv.slice(2)).then(
  () => process.stdout.write('started\n', () => process.exit(0)),
  (error: Error) => process.stdout.write(`${error.message}\n`, () => process.exit(1)),
);
