/**
 * `npm run schemathesis`: a real Backstage backend with the simulated tenant, and Schemathesis against its document: as somebody who may
 * everything, as somebody who may nothing, and as nobody. Not part of the published package.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, untilReady } from './story/client';
import { startEnvironment } from './story/environment';
import { people } from './tenant/people';

const CONFIGURATION = join(__dirname, 'schemathesis.toml');
/** As many as the configuration takes: the requests of a fuzzer are all of one caller */
const UNLIMITED = 1_000_000;

async function main(args: string[]): Promise<number> {
  const program = process.env.SCHEMATHESIS;
  if (!program) throw new Error('it is started by npm run schemathesis');
  const environment = await startEnvironment({
    configure(config) {
      config.entraAccess.limits = { inspect: UNLIMITED, explain: UNLIMITED };
    },
  });
  const reports = mkdtempSync(join(tmpdir(), 'entra-access-schemathesis-'));
  try {
    const client = new Client(environment);
    const { tenant } = environment;
    await untilReady(client, () => tenant.mintAccessToken(people.adam));
    let failed = 0;
    for (const [who, token] of [
      ['somebody who may everything', await client.tokenFor(tenant.mintAccessToken(people.adam))],
      ['somebody who may nothing', await client.tokenFor(tenant.mintAccessToken(people.dana))],
      ['nobody', undefined],
    ] as const) {
      process.stdout.write(`\n---- as ${who}\n`);
      const report = join(reports, 'report.json');
      const document = `${environment.backendUrl}/api/entra-access/openapi.json`;
      const headers = token ? ['-H', `Authorization: Bearer ${token}`] : [];
      const options = ['--config-file', CONFIGURATION, 'run', document, ...headers];
      failed += await run(program, [...options, '--report-json-path', report, ...args]);
      cpSync(report, '/tmp/report-' + failed + '.json');
    }
    return failed > 0 ? 1 : 0;
  } finally {
    rmSync(reports, { recursive: true, force: true });
    await environment.stop();
  }
}

function run(program: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', code => resolve(code ?? 1));
  });
}

main(process.argv.slice(2)).then(
  code => process.exit(code),
  error => {
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  },
);
