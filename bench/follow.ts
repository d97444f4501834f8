/**
 * `node --expose-gc --import tsx bench/follow.ts [users groups]`: a tenant followed into a database, and a replica that starts from it.
 * Prints seconds, memory and what a poll costs when nothing has changed.
 */
import { fork } from 'node:child_process';
import { databaseFolder, databaseOf } from '../plugin-js/e2e/support/databases';
import { followed } from '../plugin-js/e2e/support/follow';
import { startPostgres, WITHOUT_POSTGRES } from '../plugin-js/e2e/support/postgres';
import { startTenant } from '../plugin-js/dev/tenant/server';
import { makeTenant } from './cases/tenant';

const MIB = 1024 * 1024;
const [users, groups] = process.argv
  .slice(2)
  .filter(word => /^\d+$/.test(word))
  .map(Number);

type Connection = Parameters<typeof databaseOf>;

/** In a process of its own: what a replica needs to have everything at hand */
async function coldStart(connection: Connection, authority: { authority: string; tenantId: string }): Promise<void> {
  const database = await databaseOf(...connection);
  const it = await followed({ ...authority, home: {}, directory: {} } as never, database);
  const replica = it.replica();
  global.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10);
  const cpu = process.cpuUsage();
  const started = performance.now();
  await replica.poll();
  const seconds = (performance.now() - started) / 1000;
  clearInterval(watch);
  const spent = process.cpuUsage(cpu);
  most = Math.max(most, process.memoryUsage().rss);
  global.gc?.();
  const quiet = process.cpuUsage();
  for (let poll = 0; poll < 20; poll += 1) await replica.poll();
  const idle = process.cpuUsage(quiet);
  const error = replica.replica.error ?? 'none';
  print('replica, cold', {
    error,
    seconds,
    cpuSeconds: (spent.user + spent.system) / 1e6,
    peakMiB: (most - before) / MIB,
    keptMiB: (process.memoryUsage().rss - before) / MIB,
    rssMiB: most / MIB,
    idlePollCpuMs: (idle.user + idle.system) / 1000 / 20,
  });
  it.close();
  await database.close();
}

function print(what: string, numbers: Record<string, number | string>): void {
  const shown = Object.entries(numbers).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? value.toFixed(2) : value}`,
  );
  console.log(`${what}: ${shown.join(', ')}`);
}

async function measure(name: string, connection: Connection): Promise<void> {
  const tenant = await startTenant();
  const data = makeTenant(groups ?? 20_000, users ?? 100_000);
  const { directory } = tenant;
  directory.users.clear();
  directory.groups.clear();
  for (const id of data.users) directory.users.set(id, { accountEnabled: true, validFrom: '2025-01-02T03:04:05Z' });
  for (const id of data.groups) directory.groups.set(id, { members: new Map() });
  const put = (of: number[][], ids: string[], kind: 'user' | 'group') =>
    of.forEach((into, at) =>
      into.forEach(group => directory.groups.get(data.groups[group]!)!.members.set(ids[at]!, kind)),
    );
  put(data.memberOf, data.users, 'user');
  put(data.inside, data.groups, 'group');
  console.log(`${name}: ${data.users.length} users, ${data.groups.length} groups`);

  const database = await databaseOf(...connection);
  const it = await followed(tenant, database);
  const writer = it.writer();
  let busiest = 0;
  const pool = (database.knex.client as { pool?: { numUsed(): number; numPendingAcquires(): number } }).pool;
  const watch = setInterval(() => (busiest = Math.max(busiest, pool?.numUsed() ?? 0)), 1);
  const cpu = process.cpuUsage();
  let started = performance.now();
  while ((await it.store.sample()).states.filter(({ load }) => load > 0).length < 2) await writer.run();
  const spent = process.cpuUsage(cpu);
  print('writer, everything (with the simulator in the same process)', {
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (spent.user + spent.system) / 1e6,
    connections: busiest,
  });
  clearInterval(watch);
  const idle = process.cpuUsage();
  started = performance.now();
  for (let run = 0; run < 20; run += 1) await writer.run();
  const quiet = process.cpuUsage(idle);
  print('writer, nothing has changed (likewise)', {
    ms: (performance.now() - started) / 20,
    cpuMs: (quiet.user + quiet.system) / 1000 / 20,
  });
  await new Promise<void>((resolve, reject) => {
    const { authority, tenantId } = tenant;
    const child = fork(process.argv[1]!, ['cold', JSON.stringify({ connection, tenant: { authority, tenantId } })], {
      execArgv: process.execArgv,
    });
    child.once('error', reject);
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`the replica ended with ${code}`))));
  });
  const replica = it.replica();
  await replica.poll();
  directory.removeMember(data.groups[0]!, [...directory.groups.get(data.groups[0]!)!.members.keys()][0]!);
  directory.setEnabled(data.users[7]!, false);
  await writer.run();
  started = performance.now();
  const one = process.cpuUsage();
  await replica.poll();
  const change = process.cpuUsage(one);
  print('replica, one member and one account have changed', {
    ms: performance.now() - started,
    cpuMs: (change.user + change.system) / 1000,
  });
  it.close();
  await database.close();
  await tenant.close();
}

async function main(): Promise<void> {
  if (process.argv[2] === 'cold') {
    const { connection, tenant } = JSON.parse(process.argv[3]!) as { connection: Connection; tenant: never };
    return coldStart(connection, tenant);
  }
  const folder = databaseFolder();
  await measure('SQLite', ['better-sqlite3', { directory: folder.directory }]);
  folder.remove();
  if (WITHOUT_POSTGRES) return undefined;
  const postgres = await startPostgres();
  try {
    await measure('PostgreSQL', ['pg', { ...postgres.connection }]);
  } finally {
    await postgres.stop();
  }
}

void main();
