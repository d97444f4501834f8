/**
 * `npm run schemathesis`: a real Backstage backend with the simulated tenant, and Schemathesis against its document: as somebody who may
 * everything, as somebody who may nothing, and as nobody. Not part of the published package.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, untilReady } from './story/client';
import { startEnvironment } from './story/environment';
import { followedGroups } from './story/startStory';
import { groups, people } from './tenant/people';

const CONFIGURATION = join(__dirname, 'schemathesis.toml');
/** As many as the configuration takes: the requests of a fuzzer are all of one caller */
const UNLIMITED = 1_000_000;

async function main(args: string[]): Promise<number> {
  const python = process.env.SCHEMATHESIS_PYTHON;
  if (!python) throw new Error('it is started by npm run schemathesis');
  const environment = await startEnvironment({
    configure(config) {
      // Otherwise its path is not there.
      config.entraAccess.groups = followedGroups(config.backend.baseUrl);
      config.entraAccess.limits = { inspect: UNLIMITED, explain: UNLIMITED };
      const principals = [{ group: groups.platformAdmins.id }];
      config.entraAccess.policy = { rules: [{ id: 'admins', effect: 'allow', permissions: ['*'], principals }] };
    },
  });
  const reports = mkdtempSync(join(tmpdir(), 'entra-access-schemathesis-'));
  try {
    const client = new Client(environment);
    const { tenant } = environment;
    await untilReady(client, () => tenant.mintAccessToken(people.adam));
    const rows: string[] = [];
    let failed = false;
    for (const [who, token] of [
      ['may everything', await client.tokenFor(tenant.mintAccessToken(people.adam))],
      ['may nothing', await client.tokenFor(tenant.mintAccessToken(people.dana))],
      ['without a token', undefined],
    ] as const) {
      process.stdout.write(`\n---- ${who}\n`);
      const report = join(reports, 'report.json');
      const document = `${environment.backendUrl}/api/entra-access/openapi.json`;
      const headers = token ? ['-H', `Authorization: Bearer ${token}`] : [];
      const options = ['--config-file', CONFIGURATION, 'run', document, ...headers];
      const code = await run(python, ['-m', 'schemathesis.cli', ...options, '--report-json-path', report, ...args]);
      const { operations, test_cases: cases, failures } = JSON.parse(readFileSync(report, 'utf8')) as Report;
      const broken = failures.filter(({ type }) => type === 'ServerError').length;
      rows.push(line(who, operations.tested, cases.generated, cases.unique_failures, broken));
      failed ||= code !== 0 || cases.generated === 0 || operations.tested !== operations.total;
    }
    process.stdout.write(`\n${line('caller', 'operations', 'requests', 'findings', '5xx')}\n${rows.join('\n')}\n`);
    return failed ? 1 : 0;
  } finally {
    rmSync(reports, { recursive: true, force: true });
    await environment.stop();
  }
}

/** What is read of Schemathesis' report */
interface Report {
  operations: { total: number; tested: number };
  test_cases: { generated: number; unique_failures: number };
  failures: Array<{ type: string }>;
}

function line(who: string, ...numbers: Array<string | number>): string {
  return [who.padEnd(18), ...numbers.map(number => String(number).padStart(12))].join('');
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
