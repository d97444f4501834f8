/** The built command itself, as an operator runs it, against the simulated tenant in good and in bad health */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { stringify } from 'yaml';
import { healthyRegistrations } from '../../dev/tenant/registrations';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { Folder, said } from '../../e2e/support/cli';
import { healthyConfig, SECRETS } from '../../e2e/support/doctor';

const ROOT = join(__dirname, '../../..');
const BINARY = join(ROOT, 'plugin-js/dist/cli/main.js');
const ORG = join(ROOT, 'plugin-js/dev/story/catalog/org.yaml');
/** Of a token and of an address; in no output at all */
const NEVER = /eyJ[\w-]{8,}|[\w.]+@[\w-]+\.\w/;

const folder = new Folder();
let tenant: Tenant;
let config: ReturnType<typeof healthyConfig>;

before(async () => {
  tenant = await startTenant();
  await tenant.ci.issuers.gitlab.keys.warmUp();
});
beforeEach(() => {
  Object.assign(tenant.registrations, healthyRegistrations(tenant.clock()));
  config = healthyConfig(tenant);
});
afterEach(() => {
  for (const fault of Object.keys(tenant.faults)) delete tenant.faults[fault as keyof typeof tenant.faults];
});
after(async () => {
  folder.remove();
  await tenant.close();
});

async function command(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [BINARY, 'doctor', ...args], { env: { ...process.env, ...env } });
  let [out, complaints] = ['', ''];
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stderr.on('data', chunk => (complaints += String(chunk)));
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  for (const secret of SECRETS) assert.ok(!(out + complaints).includes(secret));
  assert.doesNotMatch(out + complaints, NEVER);
  return { code, out, complaints };
}

/** With the configuration as it is now, written to a file */
const doctor = (...more: string[]) =>
  command(['--config', folder.write('app-config.yaml', stringify(config)), '--catalog', ORG, ...more]);

/** The same in this process: what an operator sees is the same, and it is sooner there */
async function inside(...more: string[]) {
  const file = folder.write('app-config.yaml', stringify(config));
  const answer = await said('doctor', '--config', file, ...more);
  for (const secret of SECRETS) assert.ok(!(answer.out + answer.complaints).includes(secret));
  assert.doesNotMatch(answer.out + answer.complaints, NEVER);
  return answer;
}

/** `ERROR issuer.keys` and the like */
const marks = (out: string) =>
  [...out.matchAll(/^ {2}(ERROR|WARNING|-) +([\w.]+)/gm)].map(([, mark, check]) => `${mark} ${check}`);

test('a healthy tenant is 0; only what needs a running backend is left out', async () => {
  const { code, out, complaints } = await doctor();
  assert.deepEqual([code, complaints], [0, ''], out);
  assert.deepEqual(marks(out), ['- policy.plugins']);
  assert.match(out, /^ +check +about +found\n {2}ok +configuration +entraAccess +read without a mistake\n/);
  assert.match(out, /\nerrors: 0, warnings: 0, ok: \d+, skipped: 1\n$/);
});

for (const [name, breakIt, expected, says] of [
  [
    'a secret that has ended',
    () => (tenant.registrations.groupReader.secrets[0]!.endsAt = tenant.clock() - 60),
    ['ERROR graph.token', '- graph.permissions', '- registration.secret'],
    /AADSTS7000222 invalid_client\n +-> the secret has ended: add a new one/,
  ],
  [
    'a secret that ends in three weeks',
    () => (tenant.registrations.groupReader.secrets[0]!.endsAt = tenant.clock() + 21 * 24 * 3600),
    ['WARNING registration.secret'],
    /the secret ends on \d{4}-\d\d-\d\d\n +-> add a new secret to app registration/,
  ],
  [
    'a wrong redirect URI',
    () => (config.backend.baseUrl = 'https://portal.contoso.example'),
    ['ERROR registration.redirect'],
    /https:\/\/portal\.contoso\.example\/api\/auth\/microsoft\/handler\/frame is not registered/,
  ],
  [
    'a clock that is off',
    () => (tenant.faults.clockAhead = 420),
    ['ERROR issuer.clock', 'ERROR issuer.clock'],
    /the clock of this machine is 4[12]\d s behind the issuer's, and 300 s are tolerated/,
  ],
  [
    'a permission on Graph that is missing',
    () => (tenant.registrations.groupReader.graphRoles = ['User.ReadBasic.All', 'Application.Read.All']),
    ['ERROR graph.permissions', 'WARNING graph.permissions', '- groups.configured', '- groups.annotated'],
    /-> grant the application of `entraAccess\.groups\.graph` GroupMember\.Read\.All \(application permission/,
  ],
  [
    'a tenant that does not exist',
    () => (config.entraAccess.tenants[0].tenantId = '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1dff'),
    ['ERROR issuer.discovery', '- issuer.keys', '- issuer.clock', 'ERROR graph.token'],
    /there is no such tenant in this cloud\n +-> correct `tenantId`/,
  ],
  [
    'keys that are not to be had',
    () => (tenant.faults.jwks = 'unavailable'),
    ['ERROR issuer.keys'],
    /\/discovery\/v2\.0\/keys: answered 503, an error\n +-> ask for the address from this machine/,
  ],
] as const) {
  test(`${name}: found, with the fix and the exit code`, async () => {
    breakIt();
    const { code, out, complaints } = await doctor();
    assert.deepEqual([code, complaints], [expected.some(mark => mark.startsWith('ERROR')) ? 1 : 0, ''], out);
    const found = marks(out).filter(mark => mark !== '- policy.plugins');
    assert.deepEqual(found.slice(0, expected.length), expected, out);
    assert.match(out, says);
  });
}

test('the same for machines', async () => {
  tenant.faults.jwks = 'unavailable';
  const { code, out } = await inside('--json');
  const { worst, findings } = JSON.parse(out);
  assert.deepEqual([code, worst], [1, 'error']);
  const keys = findings.find(
    ({ check, outcome }: Record<string, string>) => check === 'issuer.keys' && outcome === 'error',
  );
  assert.deepEqual(Object.keys(keys), ['check', 'about', 'outcome', 'what', 'fix']);
  assert.equal(keys.about, `entra-v2:${tenant.tenantId}`);
});

test('without a catalog what needs one is skipped', async () => {
  const { code, out } = await inside();
  assert.equal(code, 0, out);
  assert.deepEqual(
    marks(out),
    ['groups.catalog', 'groups.annotated', 'groups.owners', 'groups.assigned', 'policy.plugins'].map(
      check => `- ${check}`,
    ),
  );
});

test('a mistake in the configuration or the policy is an error like another, with its place', async () => {
  config.entraAccess.tenants[0].audience = 'x';
  const section = await inside();
  assert.equal(section.code, 1);
  assert.match(section.out, /ERROR +configuration +entraAccess +entraAccess\.tenants\[0\]\.audience: /);
  assert.match(section.out, /\nerrors: 1, warnings: 0, ok: 0, skipped: 0\n$/);
  delete config.entraAccess.tenants[0].audience;
  config.entraAccess.policy = { rules: [{ id: 'a', effect: 'permit', permissions: ['x'] }] };
  assert.match((await inside()).out, /ERROR +configuration .*permit/);
  config.entraAccess.policy = { file: './none.yaml' };
  assert.match((await inside()).out, /ERROR +configuration .*there is no file \.\/none\.yaml/);
  config.entraAccess.policy = { rules: [] };
  config.catalog = { locations: [{ target: './org.yaml' }] };
  assert.match((await inside()).out, /ERROR +configuration .*catalog\.locations\[0\]\.type/);
});

test('variables of the environment are read as the backend reads them', async () => {
  config.entraAccess.groups.graph.clientSecret = '${READER_SECRET}';
  const file = folder.write('app-config.yaml', stringify(config));
  assert.equal((await command(['--config', file], { READER_SECRET: SECRETS[1] })).code, 0);
  const { code, out } = await command(['--config', file]);
  assert.equal(code, 1);
  assert.match(out, /ERROR +configuration .*entraAccess\.groups\.graph/);
});

test('what is not understood is 2: no file, one that is none, a token that would travel in the clear', async () => {
  const file = folder.write('app-config.yaml', stringify(config));
  const none = join(folder.path, 'none.yaml');
  const backend = 'https://backstage.contoso.example';
  for (const [args, what, token] of [
    [[], /^--config is missing/],
    [[file], /^files are named by --config and --catalog/],
    [['--config', none], /none\.yaml: could not be read/],
    [['--config', file, '--catalog', none], /none\.yaml: could not be read/],
    [
      ['--config', file, '--backend', 'http://backstage.contoso.example'],
      /^--backend is no address such as https/,
      'not-a-token',
    ],
    [
      ['--config', file, '--backend', 'https://u:p@backstage.contoso.example'],
      /^--backend is no address/,
      'not-a-token',
    ],
    [['--config', file, '--backend', backend], /^--backend needs a token in the variable ENTRA_ACCESS_TOKEN/],
    [['--config', file, '--backend', backend, '--catalog', ORG], /^--catalog and --backend both/, 'not-a-token'],
  ] as Array<[string[], RegExp, string?]>) {
    process.env.ENTRA_ACCESS_TOKEN = token ?? '';
    const { code, out, complaints } = await said('doctor', ...args);
    assert.deepEqual([code, out], [2, ''], complaints);
    assert.match(complaints, what);
  }
  delete process.env.ENTRA_ACCESS_TOKEN;
});

test('a backend that does not answer is said to, and nothing of it is taken for empty', async () => {
  const file = folder.write('app-config.yaml', stringify(config));
  const env = { ENTRA_ACCESS_TOKEN: 'not-a-token-that-anybody-knows' };
  const { code, out } = await command(['--config', file, '--backend', 'http://127.0.0.1:1'], env);
  assert.equal(code, 0, out);
  assert.match(out, /- +groups\.catalog +groups +the catalog of --backend does not answer/);
  assert.match(out, /- +policy\.plugins +plugin catalog +it does not tell what it declares/);
  assert.ok(!out.includes(env.ENTRA_ACCESS_TOKEN));
});

test('docs/doctor.md tells each check', async () => {
  const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');
  config.entraAccess.groups.graph = { clientId: config.entraAccess.groups.graph.clientId, clientSecret: SECRETS[1] };
  const { findings } = JSON.parse((await inside('--json')).out) as { findings: Array<{ check: string }> };
  for (const check of new Set([...findings.map(each => each.check), 'registration.certificate'])) {
    assert.ok(page.includes(`| \`${check}\` |`), check);
  }
});
