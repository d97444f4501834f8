/** A Backstage that is split: the catalog in a process of its own, auth, permissions and Entra Access in another */
import './conforms';
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../dev/freePort';
import { Client } from '../../dev/story/client';
import { backstageApi } from '../../dev/tenant/applications';
import { startTenant } from '../../dev/tenant/server';
import { start } from './process';
import { until } from './replicas';

const SCRIPT = join(__dirname, 'part.ts');

export type Part = 'access' | 'catalog';
type Entity = Record<string, unknown>;

/** Starts a tenant; the parts follow one by one */
export async function splitCompany(options: {
  rules: object[];
  serviceToken: string;
  entities: Record<string, Entity[]>;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'entra-access-split-'));
  const tenant = await startTenant();
  const ports: Record<Part, number> = { access: await freePort(), catalog: await freePort() };
  const base = (part: Part) => `http://127.0.0.1:${ports[part]}`;
  const running = new Map<Part, ReturnType<typeof start>>();

  /** In one go, as whoever reads it at the same time must see the old or the new */
  function write(name: string, entities: Entity[]): string {
    const file = join(folder, name);
    writeFileSync(`${file}.new`, entities.map(entity => stringify(entity)).join('\n---\n'));
    renameSync(`${file}.new`, file);
    return file;
  }
  const locations = Object.entries(options.entities).map(([name, entities]) => ({
    type: 'file',
    target: write(name, entities),
  }));

  function configurationOf(part: Part): object {
    const endpoint = (where: Part, plugins: string[]) => ({ target: `${base(where)}/api/{{pluginId}}`, plugins });
    return {
      app: { title: 'A company', baseUrl: base('access') },
      backend: {
        baseUrl: base(part),
        listen: { host: '127.0.0.1', port: ports[part] },
        // Each its own: the catalog has no way to the sessions but through the plugin.
        database: { client: 'better-sqlite3', connection: ':memory:' },
        auth: { externalAccess: [{ type: 'static', options: { token: options.serviceToken, subject: 'a-service' } }] },
      },
      discovery: {
        endpoints: [endpoint('catalog', ['catalog']), endpoint('access', ['auth', 'permission', 'entra-access'])],
      },
      permission: { enabled: true },
      auth: { providers: { entra: {} } },
      catalog: {
        rules: [{ allow: ['Component', 'Group'] }],
        processingInterval: { seconds: 2 },
        locations,
      },
      entraAccess: {
        tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
        clouds: { lab: { authority: tenant.authority } },
        policy: { rules: options.rules },
      },
    };
  }

  async function run(part: Part): Promise<void> {
    const file = join(folder, `${part}.yaml`);
    writeFileSync(file, stringify(configurationOf(part)));
    const process = start([part, '--config', file], SCRIPT);
    running.set(part, process);
    await until(`${part} serves`, async () => {
      assert.equal(process.run.code, null, process.run.output);
      const { status } = await new Client({ backendUrl: base(part) }).call('/.backstage/health/v1/readiness');
      assert.equal(status, 200, process.run.output);
    });
  }

  /** As a crash would */
  async function kill(part: Part): Promise<void> {
    const process = running.get(part);
    running.delete(part);
    process?.child.kill('SIGKILL');
    await process?.ended;
  }

  return {
    tenant,
    write,
    run,
    kill,
    access: new Client({ backendUrl: base('access') }),
    catalog: new Client({ backendUrl: base('catalog') }),
    output: (part: Part) => running.get(part)?.run.output ?? '',
    async stop() {
      await Promise.all([...running.keys()].map(kill));
      await tenant.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
