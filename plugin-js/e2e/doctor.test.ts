/** The checks of a running backend in its status, and the command that asks one */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { Client } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { OVERAGE_GRAPH } from '../dev/story/overageGraph';
import { backstageApi } from '../dev/tenant/applications';
import { people } from '../dev/tenant/people';
import { untilChecked } from '../dev/story/checked';
import { Folder, said } from './support/cli';
import { SECRETS, SIGN_IN_SECRET } from './support/doctor';

const folder = new Folder();
let environment: Environment;
let client: Client;
let file: string;

before(async () => {
  environment = await startEnvironment({
    configure(config, tenant) {
      config.entraAccess.groups = structuredClone(OVERAGE_GRAPH);
      config.entraAccess.tenants[0].audiences = [backstageApi.clientId];
      config.auth.providers.microsoft = {
        development: { clientId: backstageApi.clientId, clientSecret: SIGN_IN_SECRET, tenantId: tenant.tenantId },
      };
      const { baseUrl } = config.backend;
      tenant.registrations.backstage.redirectUris.web = [`${baseUrl}/api/auth/microsoft/handler/frame`];
      // The first run finds one thing.
      tenant.faults.clockAhead = 100;
      file = folder.write('app-config.yaml', stringify(parse(stringify(config))));
    },
  });
  client = new Client(environment);
});
after(async () => {
  folder.remove();
  await environment?.stop();
});

const tokenOf = (person: (typeof people)['adam']) => client.tokenFor(environment.tenant.mintAccessToken(person));

test('status shows what the backend itself has found, some time after it has begun to answer', async () => {
  const token = await tokenOf(people.adam);
  const { body: early } = await client.call('/api/entra-access/v1/status', token);
  assert.deepEqual(Object.keys(early.checks), ['ranAt', 'worst', 'findings']);
  const checks = await untilChecked(client, token);
  const bad = checks.findings.filter(({ outcome }: Record<string, string>) => outcome !== 'ok');
  const tolerating = ({ check, outcome }: Record<string, string>) => `${check} ${outcome}`;
  // Entra tolerates 300 s, each of the three pipelines 60.
  assert.deepEqual(bad.map(tolerating).sort(), [...Array(3).fill('issuer.clock error'), 'issuer.clock warning']);
  assert.equal(checks.worst, 'error');
  const checked = new Set(checks.findings.map(({ check }: Record<string, string>) => check));
  for (const check of ['policy.plugins', 'groups.catalog', 'registration.redirect', 'graph.permissions']) {
    assert.ok(checked.has(check), check);
  }
  for (const secret of SECRETS) assert.ok(!JSON.stringify(checks).includes(secret));
});

test('the command asks the backend for its groups and plugins, as the caller', async () => {
  environment.tenant.faults.clockAhead = undefined;
  // A token of Entra as it is: nobody has to sign in first.
  process.env.ENTRA_ACCESS_TOKEN = environment.tenant.mintAccessToken(people.adam);
  const { code, out, complaints } = await said('doctor', '--config', file, '--backend', environment.backendUrl);
  assert.deepEqual([code, complaints], [0, ''], out);
  assert.match(out, /\nerrors: 0, warnings: 0, ok: \d+, skipped: 0\n$/);
  assert.match(out, /ok +groups\.catalog +groups +3 groups in the catalog, and nothing wrong with them\n/);
  for (const secret of [...SECRETS, process.env.ENTRA_ACCESS_TOKEN]) assert.ok(!out.includes(secret));
});

test('who may not read the status is not told which groups count, and who is nobody is told nothing', async () => {
  process.env.ENTRA_ACCESS_TOKEN = await tokenOf(people.rita);
  const reader = await said('doctor', '--config', file, '--backend', environment.backendUrl);
  assert.match(reader.out, /- +groups\.catalog +groups +which of them count is not told\n/);
  process.env.ENTRA_ACCESS_TOKEN = 'nonsense';
  const nobody = await said('doctor', '--config', file, '--backend', environment.backendUrl);
  assert.match(nobody.out, /- +groups\.catalog +groups +the catalog of --backend answered 401\n/);
  assert.match(nobody.out, /- +policy\.plugins +plugin catalog +it does not tell/);
  delete process.env.ENTRA_ACCESS_TOKEN;
});
