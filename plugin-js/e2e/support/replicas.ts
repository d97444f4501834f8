/** Two replicas of one backend: processes of their own with one database, as a company runs them */
import './conforms';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../dev/freePort';
import { Client } from '../../dev/story/client';
import { backstageApi } from '../../dev/tenant/applications';
import { groups, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { SERVICE_TOKEN } from './company';
import { start } from './process';

type Entity = Record<string, unknown>;

const RULES = [
  { id: 'owners-read', effect: 'allow', permissions: ['catalog.entity.read'], when: { owned: true } },
  { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.refresh'], when: { owned: true } },
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'all-ask', effect: 'allow', permissions: ['entra-access.whoami.read'] },
];

/** A running replica */
export interface Replica {
  client: Client;
  output(): string;
  /** As an orchestrator ends it */
  stop(): Promise<void>;
  /** As the kernel ends it: nothing is finished */
  kill(): Promise<void>;
}

/** A tenant, a catalog in files, and replicas by name */
export async function startCompany(options: {
  /** `backend.database` of a replica, with a folder for files that all replicas share */
  database: (name: string, folder: string) => object;
  /** Files of the catalog by name: what the operator names, and what those point to */
  named: Record<string, Entity[]>;
  pointedTo: Record<string, Entity[]>;
  /** What a replica runs; the backend as it is started by hand where nothing is named */
  script?: string;
  /** More of the section `entraAccess` */
  entraAccess?: (tenant: Tenant, baseUrl: string) => object;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'entra-access-replicas-'));
  const tenant = await startTenant();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const yaml = (entities: Entity[]) => entities.map(entity => stringify(entity)).join('\n---\n');
  for (const [name, entities] of Object.entries(options.pointedTo)) write(name, yaml(entities));
  const locations = Object.entries(options.named).map(([name, entities]) => ({
    type: 'file',
    target: write(name, yaml(entities)),
  }));
  const running = new Set<Replica>();

  async function replica(name: string): Promise<Replica> {
    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const config = {
      app: { title: 'A company', baseUrl },
      backend: {
        baseUrl,
        listen: { host: '127.0.0.1', port },
        database: options.database(name, folder),
        auth: {
          externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } }],
        },
      },
      permission: { enabled: true },
      auth: { providers: { entra: {} } },
      catalog: { rules: [{ allow: ['Component', 'Group', 'User', 'Location'] }], locations },
      entraAccess: {
        tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
        clouds: { lab: { authority: tenant.authority } },
        policy: { rules: RULES },
        ...options.entraAccess?.(tenant, baseUrl),
      },
    };
    const { child, run, ended } = start(['--config', write(`${name}.yaml`, stringify(config))], options.script);
    const found: Replica = {
      client: new Client({ backendUrl: baseUrl }),
      output: () => run.output,
      async stop() {
        running.delete(found);
        child.kill('SIGTERM');
        await ended;
      },
      async kill() {
        running.delete(found);
        child.kill('SIGKILL');
        await ended;
      },
    };
    running.add(found);
    await until(`${name} serves`, async () => {
      if (run.code !== null) return;
      const { status } = await found.client.call('/.backstage/health/v1/readiness');
      assert.equal(status, 200, run.output);
    });
    if (run.code !== null) {
      running.delete(found);
      throw new Error(`${name} ended: ${run.output}`);
    }
    return found;
  }

  return {
    tenant,
    replica,
    async stop() {
      await Promise.all([...running].map(each => each.stop()));
      await tenant.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Until the catalog of a replica has this many entities of each kind, and the core knows who owns them */
export async function untilFilled({ client }: Replica, tenant: Tenant, expected: Record<string, number>) {
  await until('the catalog is filled', async () => {
    const token = await client.tokenFor(tenant.mintAccessToken(people.adam));
    const counts = Object.keys(expected).map(async kind => {
      const { body } = await client.call(`/api/catalog/entities/by-query?filter=kind=${kind}&limit=0`, token);
      return [kind, body.totalItems] as const;
    });
    assert.deepEqual(Object.fromEntries(await Promise.all(counts)), expected);
  });
}

/** Until an assertion holds; the last that did not is told at the end */
export async function until(what: string, holds: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    try {
      return await holds();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${what}: not within 90 s`, { cause: error });
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}
