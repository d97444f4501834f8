/**
 * `npm run soak [-- --minutes N] [--polling]`: replicas on PostgreSQL under load while people leave and come back, a replica is
 * killed each minute, and Graph throttles and is down. Ends with a table, and with 1 if a promise was broken.
 */
import { startPostgres } from '../../e2e/support/postgres';
import { backstageApi, workloads } from '../tenant/applications';
import { startTenant } from '../tenant/server';
import type { Tenant } from '../tenant/tenant';
import { Address } from './address';
import { Company, TEAM } from './company';
import { Load } from './load';
import { Replicas, type Configure } from './replicas';
import { scheduleOf } from './schedule';
import { Tally } from './tally';

const NAMES = ['one', 'two', 'three'];
const PEOPLE = 200;
const REQUESTS_PER_SECOND = 200;
const CHANGES_PER_SECOND = 5;
const SEED = 20261128;
/** The shortest that may be configured: what is older than that counts no longer */
const STALE_AFTER_SECONDS = 120;
const POLL_SECONDS = 10;
/** How long everything may take to be as Entra has it once nothing changes any more */
const SETTLED_SECONDS = 60;

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const minutes = Number(words[words.indexOf('--minutes') + 1] ?? 10) || 10;
  const notifications = !words.includes('--polling');
  const postgres = await startPostgres();
  const tenant = await startTenant();
  const address = await new Address().open();
  const company = new Company(tenant, PEOPLE, SEED);
  const configure = configureOf(tenant, postgres.connection, notifications ? address.url : undefined);
  const replicas = new Replicas(address, configure);
  try {
    // One after the other: each makes tables.
    for (const name of NAMES) await replicas.start(name);
    print(`${NAMES.length} replicas serve at ${address.url}, ${notifications ? 'with' : 'without'} notifications`);
    await company.signIn(address.url);
    const tally = new Tally(STALE_AFTER_SECONDS * 1000);
    const load = new Load(address.url, asked => tally.see(asked));
    await settled(company, load, 'before');
    await withFaults(minutes * 60, { tenant, company, load, replicas });
    const wrong = await settled(company, load, 'at the end').catch((error: Error) => error);
    await load.stop();
    report(tally, company, wrong);
    if (wrong || tally.tooOld > 0) process.exitCode = 1;
  } finally {
    const output = await replicas.close();
    if (process.exitCode === 1) print(`the replicas said last:\n${output}`);
    await address.close();
    await tenant.close();
    await postgres.stop();
  }
}

async function withFaults(
  seconds: number,
  { tenant, company, load, replicas }: { tenant: Tenant; company: Company; load: Load; replicas: Replicas },
): Promise<void> {
  const begun = performance.now();
  const now = () => `${Math.round((performance.now() - begun) / 1000)} s`;
  load.start(REQUESTS_PER_SECOND, () => company.any());
  const changing = setInterval(() => company.change(), 1000 / CHANGES_PER_SECOND);
  let turn = 0;
  const deeds = {
    async killReplica() {
      const name = NAMES[(turn += 1) % NAMES.length] as string;
      await replicas.kill(name);
      await replicas.start(name);
      print(`${now()}: ${name} serves again`);
    },
    graph: (fault: 'throttled' | 'down' | undefined) => void (tenant.faults.graph = fault),
  };
  const under: Array<Promise<void>> = [];
  for (const { at, what, run } of scheduleOf(seconds)) {
    await until(begun + at * 1000);
    print(`${now()}: ${what}`);
    under.push(Promise.resolve(run(deeds)));
  }
  await until(begun + seconds * 1000);
  clearInterval(changing);
  await Promise.all(under);
}

/** Every person is answered as Entra has it, several times in a row so that every replica is asked; or else an error that counts */
async function settled(company: Company, load: Load, when: string): Promise<undefined> {
  const deadline = performance.now() + SETTLED_SECONDS * 1000;
  for (;;) {
    let wrong = 0;
    for (const person of company.people) {
      const answers = await Promise.all(NAMES.map(() => load.ask(person)));
      if (answers.some(({ allowed }) => allowed !== person.truth.allowed)) wrong += 1;
    }
    if (wrong === 0) return undefined;
    if (performance.now() > deadline) throw new Error(`${when}: ${wrong} people are not answered as Entra has it`);
    await new Promise(resolve => setTimeout(resolve, 1_000));
  }
}

function report(tally: Tally, { changes }: Company, wrong: Error | undefined): void {
  const { taken, given, without } = changes;
  const rows: Array<[string, string]> = [
    ['changes', `${taken} taken away, ${given} given, ${without} that made no difference`],
    ...tally.lines(taken, given),
    ['lost changes', wrong?.message ?? '0'],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  print('');
  for (const [what, value] of rows) print(`${what.padEnd(width)}  ${value}`);
}

function configureOf(tenant: Tenant, connection: object, notifiedAt: string | undefined): Configure {
  const { clientId, secret } = workloads.groupReader;
  return ({ name, baseUrl, port }) => ({
    app: { title: `Soak, ${name}`, baseUrl },
    backend: {
      baseUrl,
      listen: { host: '127.0.0.1', port },
      database: { client: 'pg', connection },
    },
    permission: { enabled: true },
    auth: { providers: { entra: {} } },
    entraAccess: {
      tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
      clouds: { lab: { authority: tenant.authority, graph: `${tenant.authority}/graph` } },
      groups: {
        source: 'graph',
        graph: { clientId, clientSecret: secret, staleAfter: STALE_AFTER_SECONDS },
        directory: {
          poll: POLL_SECONDS,
          ...(notifiedAt ? { notifications: { url: `${notifiedAt}/api/entra-access/v1/notifications` } } : {}),
        },
      },
      policy: {
        rules: [
          { id: 'team', effect: 'allow', permissions: ['catalog.entity.refresh'], principals: [{ group: TEAM }] },
        ],
      },
    },
  });
}

const until = (at: number) => new Promise(resolve => setTimeout(resolve, Math.max(0, at - performance.now())));

main().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
