/**
 * How long `audit/verify` takes over a long trail: `npm run record:verify -- [--records N] [--client sqlite|pg]`.
 *
 * The route itself is asked over HTTP, once for each database; the records are made first, by the trail's own code.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import express, { type RequestHandler } from 'express';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { databaseFolder, databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { startPostgres, WITHOUT_POSTGRES } from '../../e2e/support/postgres';
import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { operationRouter } from '../../src/access/operationRouter';
import { auditHandlers } from '../../src/audit/handlers';
import { AuditStore } from '../../src/audit/store';
import { EntraCore } from '../../src/core';
import { manyRecords } from './manyRecords';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, client: { type: 'string', multiple: true } },
});
const RECORDS = Number(values.records);

async function measure(name: string, database: Awaited<ReturnType<typeof databaseOf>>): Promise<void> {
  const core = new EntraCore({
    configuration: configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId }),
    logger: new RecordingLogger(),
  });
  const store = await AuditStore.open(database.service);
  const begun = performance.now();
  const trail = await manyRecords(core, store, RECORDS);
  const written = performance.now();
  const pass: RequestHandler = (_request, _response, next) => next();
  const guards = { access: async () => ({}) as BackstageCredentials, limits: { inspect: pass, explain: pass } };
  const router = operationRouter(auditHandlers({ core, audit: trail, store }), guards);
  const server = express().use(router).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [asked, cpu] = [performance.now(), process.cpuUsage()];
  const response = await fetch(`http://127.0.0.1:${port}/v1/audit/verify`);
  const { whole, records, problems } = (await response.json()) as {
    whole: boolean;
    records: number;
    problems: object[];
  };
  const answered = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  server.close();
  server.closeAllConnections();
  await trail.close();
  core.close();
  const seconds = (from: number, to: number) => `${((to - from) / 1_000).toFixed(1)} s`;
  const busy = `${((user + system) / 1_000_000).toFixed(1)} s of a processor in this process`;
  console.log(
    `${name.padEnd(12)}${String(records).padStart(9)} records  written in ${seconds(begun, written).padStart(8)}  ` +
      `verified in ${seconds(asked, answered).padStart(7)} (${busy})  whole: ${whole}, problems: ${problems.length}`,
  );
  if (!whole || records !== RECORDS + 1) process.exitCode = 1;
}

async function main(): Promise<void> {
  const asked = (client: string) => values.client === undefined || values.client.includes(client);
  if (!Number.isInteger(RECORDS) || RECORDS < 1) throw new Error('--records: a whole number');
  if (asked('sqlite')) {
    const folder = databaseFolder();
    const database = await databaseOf('better-sqlite3', { directory: folder.directory });
    try {
      await measure('SQLite', database);
    } finally {
      await database.close();
      folder.remove();
    }
  }
  if (asked('pg')) {
    if (WITHOUT_POSTGRES) return console.log(`PostgreSQL  ${WITHOUT_POSTGRES}`);
    const postgres = await startPostgres();
    const database = await databaseOf('pg', { ...postgres.connection });
    try {
      await measure('PostgreSQL', database);
    } finally {
      await database.close();
      await postgres.stop();
    }
  }
}

void main();
