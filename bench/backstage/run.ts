/** `npm run bench:backstage [-- --quick] [-- --only TEXT] [-- --json FILE]`: end to end, on PostgreSQL. */
import { Client } from '../../plugin-js/dev/story/client';
import { people } from '../../plugin-js/dev/tenant/people';
import { startTenant } from '../../plugin-js/dev/tenant/server';
import type { Tenant } from '../../plugin-js/dev/tenant/tenant';
import { startPostgres } from '../../plugin-js/e2e/support/postgres';
import { versions } from '../machine';
import { print, readOptions, Report } from '../report';
import { FULL, type Effort } from '../sampling';
import { CLAIMS, teamGroup } from './catalog';
import { MANY, plansOf, warmUp, type Asked, type Scene } from './groups';
import { entraAccess, owners, rbac, startPeer, trivial, type Peer, type Surroundings } from './peers';
import { call, closeConnections } from './requests';
import { Seed } from './seed';
import { toolVersion } from './tools';

const NESTED = [0, 20_000];
const SEED = 20261124;
const BACKSTAGE = ['backend-defaults', 'plugin-catalog-backend', 'plugin-permission-backend', 'plugin-permission-node'];
const RBAC = '@backstage-community/plugin-rbac-backend';
const DIRECTORY_MS = 120_000;
/** Requests differ more from each other than what runs in this process does */
const OVER_HTTP: Effort = { ...FULL, warmUpMs: 2_000, sampleMs: 200 };
/** For each peer: a backend is compiled as it is used, and one that serves a company has served some thousands of requests */
const WARM_UP_MS = 20_000;

async function main(): Promise<void> {
  const options = readOptions();
  const used: Record<string, string> = {
    ...versions(BACKSTAGE.map(name => `@backstage/${name}`)),
    ...{ [RBAC]: toolVersion(RBAC), 'typeorm-adapter': toolVersion('typeorm-adapter') },
  };
  const postgres = await startPostgres();
  const tenant = await startTenant();
  const report = new Report(options, SEED, OVER_HTTP);
  try {
    const seed = await Seed.make({ postgres, tenant });
    used.postgres = await seed.version();
    report.begin(used);
    if (options.quick) print('--quick: the times mean nothing');
    for (const nested of NESTED) {
      await seed.nest(nested);
      await withScene({ postgres, tenant }, seed, nested, async scene => {
        const plans = report.wanted(plansOf(scene));
        if (plans.length > 0 && !options.quick) await warmUp(scene, WARM_UP_MS);
        for (const plan of plans) await report.measure(plan);
      });
    }
  } finally {
    closeConnections();
    await tenant.close();
    await postgres.stop();
  }
  report.end();
}

/** All peers at once, so that rounds can go through all of them */
async function withScene(
  surroundings: Surroundings,
  seed: Seed,
  nested: number,
  measure: (scene: Scene) => Promise<void>,
): Promise<void> {
  const running: Peer[] = [];
  try {
    for (const kind of [trivial, owners, ...rbac, entraAccess]) {
      await seed.cloneFor(kind);
      print(`starting: ${kind.name}, ${nested} nested groups`);
      running.push(await startPeer(kind, surroundings));
    }
    const [first, second, ...others] = running as [Peer, Peer, ...Peer[]];
    const ours = others.pop() as Peer;
    const { tenant } = surroundings;
    const groups = Array.from({ length: CLAIMS }, (_, at) => {
      return { id: teamGroup(at), displayName: `team-${at}`, memberOf: [] };
    });
    await directoryRead(ours, tenant, seed.groups);
    await measure({
      trivial: await asked(first, CLAIMS),
      owners: await asked(second, CLAIMS),
      ownersMany: await asked(second, MANY),
      rbac: await Promise.all(others.map(peer => asked(peer, 1))),
      entraAccess: await signedIn(ours, tenant.mintAccessToken({ ...people.olivia, groups })),
      entraAccessMany: await signedIn(ours, tenant.mintAccessToken(people.maxine)),
      manyGroups: people.maxine.groups.length,
      nested,
    });
  } finally {
    await Promise.all(running.map(peer => peer.stop()));
  }
}

/** By the provider that all but ours have */
async function asked({ name, url }: Peer, claims: number): Promise<Asked> {
  const response = await fetch(`${url}/api/auth/bench/refresh`, { headers: { 'x-claims': String(claims) } });
  const { backstageIdentity } = (await response.json()) as { backstageIdentity: { token: string } };
  return { name, url, token: backstageIdentity.token };
}

async function signedIn({ name, url }: Peer, token: string): Promise<Asked> {
  return { name, url, token: await new Client({ backendUrl: url }).tokenFor(token) };
}

/** Until our core has the catalog's groups */
async function directoryRead(peer: Peer, tenant: Tenant, groups: number): Promise<void> {
  const { token } = await signedIn(peer, tenant.mintAccessToken(people.olivia));
  const deadline = Date.now() + DIRECTORY_MS;
  for (;;) {
    const { status, body } = await call(`${peer.url}/api/entra-access/v1/status`, token);
    if (status === 200 && body.directory?.groups >= groups) return;
    if (Date.now() > deadline) throw new Error(`the core has not all groups: ${JSON.stringify(body).slice(0, 500)}`);
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

main().catch((error: unknown) => {
  const { message, cause } = error as Error;
  process.stderr.write(
    `bench:backstage: ${message}\n${cause ? `  because: ${String((cause as Error).stack ?? cause)}\n` : ''}`,
  );
  process.exit(1);
});
