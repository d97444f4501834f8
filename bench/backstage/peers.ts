/** The backends that are compared, each a process of its own on a database of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Postgres } from '../../plugin-js/e2e/support/postgres';
import { workloads } from '../../plugin-js/dev/tenant/applications';
import { backstageApi } from '../../plugin-js/dev/tenant/applications';
import { freePort } from '../../plugin-js/dev/freePort';
import type { Tenant } from '../../plugin-js/dev/tenant/tenant';
import { PERSON, teamGroup, teamRef } from './catalog';

const READY_MS = 300_000;
const ROLES = [1, 50] as const;

/** What a peer needs to know of the others around it */
export interface Surroundings {
  postgres: Postgres;
  tenant: Tenant;
}

export interface PeerKind {
  name: string;
  /** What `peer.ts` is to add */
  features: 'trivial' | 'owners' | 'rbac' | 'entraAccess';
  /** Beside what all have */
  configure(config: Record<string, any>, folder: string, surroundings: Surroundings): void;
}

export interface Peer {
  name: string;
  url: string;
  stop(): Promise<void>;
}

export const trivial: PeerKind = { name: 'trivial policy', features: 'trivial', configure: () => {} };

export const owners: PeerKind = { name: 'policy with IS_ENTITY_OWNER', features: 'owners', configure: () => {} };

/** Every role allows the same to the person's team */
export const rbac: PeerKind[] = ROLES.map(roles => ({
  name: `RBAC plugin, ${roles} ${roles === 1 ? 'role' : 'roles'}`,
  features: 'rbac',
  configure(config, folder) {
    const file = join(folder, 'policy.csv');
    const lines = Array.from({ length: roles }, (_, at) => `role:default/role-${at}`).flatMap(role => [
      `p, ${role}, catalog-entity, read, allow`,
      `p, ${role}, catalog-entity, update, allow`,
      `g, ${teamRef(0)}, ${role}`,
    ]);
    writeFileSync(file, `${lines.join('\n')}\n`);
    config.permission.rbac = {
      'policies-csv-file': file,
      pluginsWithPermission: ['catalog'],
      admin: { users: [{ name: PERSON }] },
    };
  },
}));

/** As many rules as the RBAC plugin has roles at most */
export const entraAccess: PeerKind = {
  name: 'entra-access',
  features: 'entraAccess',
  configure(config, _, { tenant }) {
    const roles = Array.from({ length: Math.max(...ROLES) }, (__, at) => ({
      ...{ id: `role-${at}`, effect: 'allow', permissions: ['catalog.entity.refresh', 'techdocs.read'] },
      principals: [{ group: teamGroup(at) }],
    }));
    config.auth.providers = { entra: {} };
    config.entraAccess = {
      tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
      clouds: { lab: { authority: tenant.authority, graph: `${tenant.authority}/graph` } },
      groups: {
        overage: 'graph',
        graph: { clientId: workloads.groupReader.clientId, clientSecret: workloads.groupReader.secret },
      },
      policy: {
        rules: [
          { id: 'owners-read', effect: 'allow', permissions: ['catalog.entity.read'], when: { owned: true } },
          { id: 'all-ask', effect: 'allow', permissions: ['entra-access.*'] },
          ...roles,
        ],
      },
    };
  },
};

/** Names of its databases begin with it */
export const prefixOf = ({ name }: Pick<PeerKind, 'name'>): string =>
  `${name.toLowerCase().replace(/[^a-z0-9]+/g, '_')}_`;

export async function startPeer(kind: PeerKind, surroundings: Surroundings): Promise<Peer> {
  const { connection } = surroundings.postgres;
  const folder = mkdtempSync(join(tmpdir(), 'bench-backstage-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = {
    app: { title: kind.name, baseUrl: url },
    backend: {
      baseUrl: url,
      listen: { host: '127.0.0.1', port },
      // The server asks for no password; the RBAC plugin wants one all the same.
      database: { client: 'pg', connection: { ...connection, password: 'none' }, prefix: prefixOf(kind) },
    },
    permission: { enabled: true },
    auth: { providers: { bench: {} } },
    // Nobody provides what the seed has put in.
    catalog: { rules: [{ allow: ['Component', 'Group', 'User'] }], orphanProviderStrategy: 'keep' },
  };
  kind.configure(config, folder, surroundings);
  const file = join(folder, 'app-config.json');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, 'peer.ts'), kind.features, '--config', file],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', LOG_LEVEL: 'warn' },
    },
  );
  try {
    await started(child, kind.name);
  } finally {
    // Read once, at the start.
    if (kind.features !== 'rbac') rmSync(folder, { recursive: true });
  }
  const stop = async () => {
    const ended = new Promise(resolve => child.once('close', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { name: kind.name, url, stop };
}

/** Until it says that it serves; what it prints is told if it does not */
function started(child: ChildProcess, name: string): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    // The end is what tells why.
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-20_000)));
  }
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`${name}: ${why}\n${output}`));
    };
    const timer = setTimeout(() => fail(`not ready within ${READY_MS / 1000} s`), READY_MS);
    child.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', code => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}
