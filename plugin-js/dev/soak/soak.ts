/**
 * `npm run soak`: replicas on PostgreSQL under load while people leave and come back, a replica is killed each minute, and Graph throttles
 * and is down. Ends with a table, and with 1 if a promise was broken.
 */
import { startPostgres } from '../../e2e/support/postgres';
import { startTenant } from '../tenant/server';
import type { Tenant } from '../tenant/tenant';
import { Address } from './address';
import { Company, expectedOf, type Person } from './company';
import { configurationOf, STALE_AFTER_SECONDS } from './configuration';
import { Load } from './load';
import { readOptions, type Options } from './options';
import { promisesOf, withinMsOf, type Kept } from './promises';
import { Replicas } from './replicas';
import { Phases, scheduleOf, type Deeds } from './schedule';
import { Tally } from './tally';
import { watch } from './watch';

const NAMES = ['one', 'two', 'three'];
const PEOPLE = 200;
const SEED = 20261128;
/** How long everything may take to be as Entra has it once nothing changes any more, and to begin */
const SETTLED_SECONDS = 90;
/** People of whom each replica is asked at once when all are asked about */
const AT_ONCE = 8;
/** From so many minutes on Graph is away for longer than what is known counts (`scheduleOf`) */
const WHOLE_MINUTES = 8;

const print = (line: string) => void process.stdout.write(`${line}\n`);
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)));

interface Scene {
  tenant: Tenant;
  company: Company;
  load: Load;
  replicas: Replicas;
  phases: Phases;
  states: string[];
  failures: Error[];
}

async function main(options: Options, undo: Array<() => Promise<void>>): Promise<boolean> {
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const tenant = await startTenant();
  undo.push(() => tenant.close());
  const address = await new Address().open();
  undo.push(() => address.close());
  const company = new Company(tenant, PEOPLE, SEED);
  const replicas = new Replicas(address, configurationOf(tenant, postgres.connection, address.url, options));
  undo.push(() => replicas.close());
  // One after the other: each makes tables.
  for (const name of NAMES) await replicas.start(name);
  const { notifications, poll, rate, changes } = options;
  print(`${NAMES.length} replicas serve at ${address.url}, ${notifications ? 'with' : 'without'} notifications`);
  print(`${rate} requests and ${changes} changes a second; Graph is asked every ${poll} s besides`);
  await company.signIn(address.url);
  const phases = new Phases(withinMsOf(options));
  const tally = new Tally(STALE_AFTER_SECONDS * 1000, phases);
  let counted = false;
  const load = new Load(address.url, asked => counted && tally.see(asked));
  undo.push(async () => load.close());
  const scene: Scene = { tenant, company, load, replicas, phases, states: [], failures: [] };
  if ((await wrongAtTheEnd(scene)) > 0) throw new Error('people are not answered as Entra has them at the beginning');
  if (notifications) await untilTold(tenant);
  counted = true;
  await withFaults(options, scene);
  // The last changes arrive, too.
  await sleep(options.notifications ? 8_000 : options.poll * 1000);
  await load.stop();
  counted = false;
  const lost = await wrongAtTheEnd(scene);
  const { states, failures } = scene;
  const kept = promisesOf(options, { tally, lost, states, failures });
  report(scene, tally, kept);
  // A run of the usual length has seen something of everything.
  const isWhole = options.minutes >= WHOLE_MINUTES;
  const isKept = kept.every(([, holds]) => (isWhole ? holds === true : holds !== false));
  if (!isKept) print(`\nthe replicas said last:\n${replicas.output}`);
  return isKept;
}

async function withFaults({ minutes, rate, changes }: Options, scene: Scene): Promise<void> {
  const { company, load, replicas, failures } = scene;
  const seconds = minutes * 60;
  const begun = performance.now();
  const now = () => `${Math.round((performance.now() - begun) / 1000)} s`;
  load.start(rate, () => company.any());
  const changing = setInterval(() => {
    const person = company.change();
    if (person) void watch(person, load, replicas.urls);
  }, 1000 / changes);
  const deeds = deedsOf(scene, what => print(`${now()}: ${what}`));
  const under: Array<Promise<unknown>> = [];
  try {
    for (const { at, what, run } of scheduleOf(seconds, STALE_AFTER_SECONDS)) {
      await sleep(begun + at * 1000 - performance.now());
      print(`${now()}: ${what}`);
      under.push(Promise.resolve(run(deeds)).catch((error: Error) => failures.push(error)));
    }
    await sleep(begun + seconds * 1000 - performance.now());
  } finally {
    clearInterval(changing);
    await Promise.all(under);
  }
}

function deedsOf({ tenant, company, replicas, phases, states }: Scene, tell: (what: string) => void): Deeds {
  let turn = 0;
  let restarting = Promise.resolve();
  let graphIsBack = () => {};
  tenant.faults.retryAfter = 5;
  return {
    // One after the other: on a slow machine the last one may not serve yet.
    killReplica() {
      restarting = restarting.then(async () => {
        const name = NAMES[(turn += 1) % NAMES.length] as string;
        const over = phases.begin('replica killed');
        await replicas.kill(name);
        tell(`${name} was killed`);
        await replicas.start(name);
        over();
        tell(`${name} serves again`);
      });
      return restarting;
    },
    graph(fault) {
      tenant.faults.graph = fault;
      if (fault) graphIsBack = phases.begin('Graph away');
      else graphIsBack();
    },
    async askForStates() {
      // On every replica: one that was killed just now is waited for.
      await restarting;
      for (const url of replicas.urls) states.push(await stateAt(url, company.people));
    },
  };
}

/** What a replica makes of the groups of somebody whose account is in force, as far as it knows */
async function stateAt(url: string, people: readonly Person[]): Promise<string> {
  let last = 'no answer';
  for (const { token } of people) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/api/entra-access/v1/whoami`, { headers }).catch(() => undefined);
    const answer = (await response?.json()) as { groups?: { state?: string } } | undefined;
    if (answer?.groups?.state) return answer.groups.state;
    last = String(response?.status ?? last);
  }
  return last;
}

/** How many people some replica does not answer as Entra has them, once that has had its time */
async function wrongAtTheEnd({ company, load, replicas }: Scene): Promise<number> {
  const deadline = performance.now() + SETTLED_SECONDS * 1000;
  for (;;) {
    let wrong = 0;
    for (let at = 0; at < company.people.length; at += AT_ONCE) {
      const some = company.people.slice(at, at + AT_ONCE).map(async person => {
        const answers = await Promise.all(replicas.urls.map(url => load.ask(person, url)));
        if (answers.some(({ answer }) => answer !== expectedOf(person))) wrong += 1;
      });
      await Promise.all(some);
    }
    if (wrong === 0 || performance.now() > deadline) return wrong;
    await sleep(1_000);
  }
}

/** Until Graph has been asked to tell of accounts and of the members of the team */
async function untilTold({ subscriptions }: Tenant): Promise<void> {
  const deadline = performance.now() + SETTLED_SECONDS * 1000;
  while (subscriptions.size < 2) {
    if (performance.now() > deadline) throw new Error('Graph was not asked to tell of changes');
    await sleep(250);
  }
}

function report({ company: { changes }, tenant }: Scene, tally: Tally, kept: readonly Kept[]): void {
  const { taken, given, without } = changes;
  const asked = ['users', 'groups'].map(kind => `${tenant.requests[`graph.${kind}.delta`]} times for ${kind}`);
  const rows: Array<[string, string]> = [
    ['changes', `${taken} taken away, ${given} given, ${without} that made no difference`],
    ['Graph was asked', asked.join(', ')],
    ...tally.lines(),
    ...kept.map(([promise, holds]): [string, string] => [
      promise,
      holds === undefined ? 'nothing was seen of it' : holds ? 'kept' : 'BROKEN',
    ]),
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  print('');
  for (const [what, value] of rows) print(`${what.padEnd(width)}  ${value}`);
}

const undo: Array<() => Promise<void>> = [];
/** Whatever was started, in the order in which it can be ended */
async function end(): Promise<void> {
  for (let each = undo.pop(); each; each = undo.pop()) await each().catch(() => undefined);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(130)));

Promise.resolve()
  .then(() => main(readOptions(process.argv.slice(2)), undo))
  .then(isKept => void (process.exitCode = isKept ? 0 : 1))
  .catch((error: unknown) => {
    process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  })
  .finally(end);
