import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendFeature } from '@backstage/backend-plugin-api';
import { stringify } from 'yaml';
import { pipelinesOf } from '../ci/trust';
import { freePort } from '../freePort';
import { startBackend, type RunningBackend } from '../startBackend';
import { backstageApi } from '../tenant/applications';
import { startTenant } from '../tenant/server';
import type { Tenant } from '../tenant/tenant';
import { HOME_TENANT_ID } from '../tenant/tenantIds';

/** The simulated tenant and a real backend that trusts it */
export interface Environment {
  tenant: Tenant;
  /** Such as http://127.0.0.1:7007 */
  backendUrl: string;
  stop(): Promise<void>;
}

/** Settings that a test may change before the backend starts */
export interface EnvironmentOptions {
  /** Wished ports; any free one where taken or not given */
  ports?: { backend?: number; tenant?: number };
  /** Changes the configuration before it is written */
  configure?: (config: Record<string, any>, tenant: Tenant) => void;
  logLevel?: string;
  /** Installed beside those of a company */
  features?: readonly BackendFeature[];
  /** Installed in the place of all features of Entra Access */
  access?: readonly BackendFeature[];
}

/** Starts both; the configuration is a file as any operator would write it */
export async function startEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  // Backstage reads the level when its logger is made.
  process.env.LOG_LEVEL ??= options.logLevel ?? 'warn';
  const tenant = await startTenant({ port: await freePort(options.ports?.tenant) });
  const port = await freePort(options.ports?.backend);
  const folder = mkdtempSync(join(tmpdir(), 'entra-access-'));
  const file = join(folder, 'app-config.yaml');
  let backend: RunningBackend | undefined;
  const stop = async () => {
    await backend?.stop();
    await tenant.close();
  };
  // Also where Backstage's own listener ends the process at a signal while the backend is starting.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const config = storyConfig(tenant, port);
    options.configure?.(config, tenant);
    const pipelines: Array<{ issuer: string }> = config.entraAccess.pipelines ?? [];
    await tenant.ci.warmUp(pipelines.map(({ issuer }) => issuer));
    writeFileSync(file, stringify(config));
    backend = await startBackend(['--config', file], options.features, options.access);
    return { tenant, backendUrl: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    // Read once, at the start; nothing else lies there.
    remove();
    process.off('exit', remove);
  }
}

function storyConfig(tenant: Tenant, port: number): Record<string, any> {
  const here = (path: string) => join(__dirname, path);
  return {
    app: { title: 'Entra Access', baseUrl: `http://127.0.0.1:${port}` },
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
    },
    permission: { enabled: true },
    auth: { providers: { entra: {} } },
    catalog: {
      rules: [{ allow: ['Component', 'Group', 'User', 'Location'] }],
      locations: ['catalog/org.yaml', 'catalog/components.yaml'].map(path => ({ type: 'file', target: here(path) })),
    },
    entraAccess: {
      tenants: [{ tenantId: HOME_TENANT_ID, cloud: 'lab', audiences: [backstageApi.clientId, backstageApi.appIdUri] }],
      clouds: { lab: { authority: tenant.authority, graph: `${tenant.authority}/graph` } },
      pipelines: pipelinesOf(tenant.ci),
      policy: { file: here('policy.yaml') },
    },
  };
}
