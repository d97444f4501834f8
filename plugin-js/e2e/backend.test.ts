import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { freePort } from '../dev/freePort';
import { backstageApi } from '../dev/tenant/applications';
import { people } from '../dev/tenant/people';
import { startTenant } from '../dev/tenant/server';
import type { Tenant } from '../dev/tenant/tenant';
import { start } from './support/process';

type Config = Record<string, any>;

let folder: string;
let tenant: Tenant;
let port: number;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-backend-'));
  tenant = await startTenant();
  port = await freePort();
  write('policy.yaml', { rules: [{ id: 'everyone', effect: 'allow', permissions: ['catalog.entity.read'] }] });
});
after(async () => {
  await tenant?.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

function goodConfig(): Config {
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    app: { title: 'A company', baseUrl },
    backend: {
      baseUrl,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
    },
    permission: { enabled: true },
    auth: { providers: { entra: {} } },
    entraAccess: {
      tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
      clouds: { lab: { authority: tenant.authority } },
      policy: { file: './policy.yaml' },
    },
  };
}

/** The message of a start that must fail; a backend that starts after all is ended and shown */
async function refusal(args: string[]): Promise<string> {
  const { child, run, ended } = start(args);
  const watch = setInterval(() => {
    fetch(`http://127.0.0.1:${port}/.backstage/health/v1/readiness`).then(
      ({ status }) => status === 200 && child.kill('SIGKILL'),
      () => undefined,
    );
  }, 500);
  const { code } = await ended;
  clearInterval(watch);
  assert.equal(code, 1, run.output);
  const [, message = ''] = /\nthe backend did not start: ([^\n]*)\n$/.exec(run.output) ?? [];
  assert.ok(message, `no message at the end of:\n${run.output}`);
  assert.doesNotMatch(message, /\n\s+at /);
  return message;
}

function refusalOf(change: (config: Config) => void): Promise<string> {
  const config = goodConfig();
  change(config);
  return refusal(['--config', write(`changed-${Math.random()}.yaml`, config)]);
}

test('a good configuration starts, serves without a simulator of its own, and ends on SIGTERM', async () => {
  const overlay = write('overlay.yaml', { app: { title: 'Another' } });
  const { child, run, ended } = start(['--config', write('good.yaml', goodConfig()), `--config=${overlay}`]);
  try {
    const base = `http://127.0.0.1:${port}`;
    let answer: Response | undefined;
    while (answer?.status !== 200) {
      assert.equal(child.exitCode, null, run.output);
      const headers = { authorization: `Bearer ${tenant.mintAccessToken(people.olivia)}` };
      answer = await fetch(`${base}/api/auth/entra/refresh`, { headers }).catch(() => undefined);
      if (answer?.status !== 200) await new Promise(resolve => setTimeout(resolve, 200));
    }
    const { backstageIdentity } = (await answer.json()) as any;
    const headers = { authorization: `Bearer ${backstageIdentity.token}` };
    const list = await fetch(`${base}/api/catalog/entities/by-query`, { headers });
    assert.equal(list.status, 200);
    assert.equal(((await list.json()) as any).totalItems, 0, 'no entities of the story');
    assert.equal((await fetch(`${base}/mint?as=olivia`)).status, 404, 'nobody mints tokens here');
    assert.equal(
      (await fetch(`${base}/api/entra-access/v1/status`, { headers })).status,
      403,
      'the given policy holds',
    );
  } finally {
    child.kill('SIGTERM');
  }
  const { code, signal } = await ended;
  assert.deepEqual([code, signal], [0, null], run.output);
});

test('without --config it says what to type', async () => {
  assert.equal(await refusal([]), 'name a configuration: npm run backend -- --config FILE [--config FILE]');
});

test('a configuration file that is not there is named', async () => {
  const path = join(folder, 'not-there.yaml');
  assert.match(
    await refusal(['--config', path]),
    /not-there\.yaml: there is no such file; name a configuration: npm run/,
  );
});

test('a configuration file that is no YAML is named', async () => {
  const path = write('broken.yaml', 'entraAccess:\n  tenants: [\n  - x: {');
  assert.match(await refusal(['--config', path]), /broken\.yaml: .+ at line 3, column 3$/);
});

/** One of each kind; all others are tested where they are told, without a process for each */
for (const [name, change, message] of [
  ['no section', config => delete config.entraAccess, /^entraAccess: the section is missing \(see app-config\.example/],
  [
    'a misspelt key',
    config => {
      const [{ tenantId, ...rest }] = config.entraAccess.tenants;
      config.entraAccess.tenants = [{ tenantID: tenantId, ...rest }];
    },
    /^entraAccess\.tenants\[0\]\.tenantID: unknown field `tenantID`, expected one of `tenantId`/,
  ],
  [
    'a policy file that is not there',
    config => (config.entraAccess.policy.file = 'none.yaml'),
    /^entraAccess\.policy\.file: there is no file none\.yaml \(looked in /,
  ],
  [
    'a mistake in the policy file',
    config => {
      write('two.yaml', 'rules:\n  - &r { id: twice, effect: allow, permissions: ["*"] }\n  - *r\n');
      config.entraAccess.policy.file = './two.yaml';
    },
    /two\.yaml\.rules\[1\]\.id: another rule has the id `twice`/,
  ],
  [
    'an unknown option of the provider',
    config => (config.auth.providers.entra = { headers: 'x' }),
    /auth\.providers\.entra: Unrecognized key: "headers"/,
  ],
  [
    'a service principal without restrictions',
    config => {
      const entry = { type: 'entra', options: { clients: [backstageApi.clientId] } };
      config.backend.auth = { externalAccess: [entry] };
    },
    /^backend\.auth\.externalAccess\[0\]\.accessRestrictions: required: without it these clients could do everything/,
  ],
  [
    'an interactive client whose ID tokens could not be accepted',
    config => {
      const client = { clientId: 'another', clientSecret: 'x', tenantId: 'x' };
      config.auth.providers.microsoft = { a: { ...client, signIn: { resolvers: [{ resolver: 'entraGroups' }] } } };
    },
    /^auth\.providers\.microsoft\.a\.clientId: the client is no audience of any tenant, .* \(add the client id to `entraAccess/,
  ],
  [
    'permissions not enabled',
    config => delete config.permission,
    /^permission\.enabled: is not true, so Backstage would ask no policy and allow everything \(set `permission\.enabled: true`\)/,
  ],
  [
    'a setting of Backstage missing',
    config => delete config.backend.baseUrl,
    /^Missing required config value at 'backend\.baseUrl'/,
  ],
] as Array<[string, (config: Config) => void, RegExp]>) {
  test(`does not start with ${name}, and says where and what to do`, async () => {
    assert.match(await refusalOf(change), message);
  });
}
