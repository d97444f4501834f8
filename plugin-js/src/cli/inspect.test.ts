import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { pipelinesOf } from '../../dev/ci/trust';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { Folder, said } from '../../e2e/support/cli';
import { configurationOf } from '../../e2e/support/core';
import { DIRECTORY_READER, followingConfiguration } from '../../e2e/support/follow';

const folder = new Folder();
let tenant: Tenant;
let config: string;

before(async () => {
  tenant = await startTenant();
  const section = { ...JSON.parse(configurationOf(tenant)), pipelines: pipelinesOf(tenant.ci, ['staging']) };
  // What is not for the core must not keep it from being read.
  section.policy = { file: './there-is-none.yaml' };
  config = folder.write('app-config.yaml', stringify({ entraAccess: section }));
});
after(async () => {
  folder.remove();
  await tenant.close();
});

const inspect = (token: string, ...more: string[]) => said('inspect', token, '--config', config, ...more);

test('a good job is 0, with its entry', async () => {
  const { code, out, complaints } = await inspect(tenant.ci.mint('gitlab-staging'));
  assert.deepEqual([code, complaints], [0, '']);
  assert.match(
    out,
    /^accepted\n {2}kind: pipeline, issuer: pipeline:gitlab\n {2}trust entry: payments-staging, project: 42\n/,
  );
  assert.doesNotMatch(out, /FAIL/);
});

test('a job that no entry is about is 1, with the nearest entry claim by claim', async () => {
  const { code, out } = await inspect(tenant.ci.mint('gitlab-production'));
  assert.equal(code, 1);
  assert.match(out, /^rejected: pipeline_untrusted\n/);
  assert.match(out, /FAIL +trust payments-staging: environment +staging +production\n.*match\.environment/);
  assert.match(out, /ok +trust payments-staging: project_id +42 +42\n/);
});

test('for another audience and another issuer it says what to change', async () => {
  const audience = await inspect(tenant.ci.mint('gitlab-staging', { audience: 'https://vault.contoso.example' }));
  assert.equal(audience.code, 1);
  assert.match(audience.out, /^rejected: audience_mismatch\n/);
  assert.match(audience.out, /FAIL +audience .*\n.*-> .*audiences/);
  const issuer = await inspect(tenant.ci.mint('github-enterprise'));
  assert.match(issuer.out, /^rejected: issuer_untrusted\n/);
  assert.match(issuer.out, /FAIL +issuer .*\n.*-> /);
});

test('a token of Entra, as an access token and at a sign-in', async () => {
  const person = await inspect(tenant.mintAccessToken(people.olivia));
  assert.equal(person.code, 0);
  assert.match(person.out, /^accepted\n {2}kind: user, /);
  assert.equal((await inspect(tenant.mintIdToken(people.olivia))).code, 1);
  assert.equal((await inspect(tenant.mintIdToken(people.olivia), '--sign-in')).code, 0);
});

test('where the directory is the source of groups, and with break-glass entries, the token is judged all the same', async () => {
  const { tenantId } = tenant;
  const principal = `${tenantId}/${people.olivia.oid}`;
  const section = {
    ...JSON.parse(followingConfiguration(tenant)),
    breakGlass: [{ name: 'night-shift', principal, reason: 'on call' }],
  };
  const file = folder.write('following.yaml', stringify({ entraAccess: section }));
  const token = tenant.mintAccessToken(people.olivia);
  const { code, out, complaints } = await said('inspect', token, '--config', file);
  assert.deepEqual([code, complaints], [0, '']);
  assert.match(out, /^accepted\n {2}kind: user, /);
  const { secret } = DIRECTORY_READER;
  for (const [change, place] of [
    [
      { groups: { ...section.groups, source: 'live' }, breakGlass: undefined },
      /entraAccess\.groups\.source: unknown variant `live`/,
    ],
    [{ breakGlass: [{ name: 'ada', principal: 'ada' }] }, /entraAccess\.breakGlass\[0\]\.principal: /],
    [{ groups: {} }, /entraAccess\.breakGlass: groups come with the tokens/],
  ] as const) {
    const broken = folder.write('following-broken.yaml', stringify({ entraAccess: { ...section, ...change } }));
    const refused = await said('inspect', token, '--config', broken);
    assert.deepEqual([refused.code, refused.out], [2, '']);
    assert.match(refused.complaints, place);
    assert.ok(!refused.complaints.includes(secret));
  }
});

test('the same for machines', async () => {
  const { code, out } = await inspect(tenant.ci.mint('bitbucket-branch'), '--json');
  assert.equal(code, 1);
  const { verdict, code: reason, checks } = JSON.parse(out);
  assert.deepEqual([verdict, reason], ['rejected', 'pipeline_untrusted']);
  assert.ok(
    checks.some(({ check }: { check: string }) => check === 'trust payments-staging: deploymentEnvironmentUuid'),
  );
});

test('what is no token is 1, and a token says nothing to the terminal but text', async () => {
  const nothing = await inspect('not-a-token');
  assert.equal(nothing.code, 1);
  assert.match(nothing.out, /^rejected: token_malformed\n/);
  const claims = { environment: '\u001b[31mstaging\u202e\nrejected' };
  const { code, out } = await inspect(tenant.ci.mint('gitlab-staging', { claims }));
  assert.equal(code, 1);
  assert.doesNotMatch(out, /[\u001b\u202e]/);
  assert.equal(out.match(/^rejected/gm)?.length, 1);
});

test('a mistake is 2: no configuration, one with a mistake, no token, several', async () => {
  const broken = folder.write('broken.yaml', stringify({ entraAccess: { tenants: [] } }));
  const token = tenant.ci.mint('gitlab-staging');
  for (const [args, what] of [
    [[token], /^--config is missing/],
    [['--config', config], /^no TOKEN is given/],
    [[token, token, '--config', config], /^more than one TOKEN/],
    [[token, '--config', join(folder.path, 'none.yaml')], /could not be read/],
    [[token, '--config', broken], /tenants/],
    [[token, '--config', config, '--nothing'], /nothing/],
  ] as Array<[string[], RegExp]>) {
    const { code, out, complaints } = await said('inspect', ...args);
    assert.deepEqual([code, out], [2, ''], complaints);
    assert.match(complaints, what);
    assert.ok(!complaints.includes(token.slice(-40)), 'without the token');
  }
});

test('keys that cannot be fetched are said to be missing', async () => {
  const lonely = { ...JSON.parse(configurationOf(tenant)), pipelines: pipelinesOf(tenant.ci, ['staging']) };
  const nowhere = 'http://127.0.0.1:1/ci/gitlab.com';
  lonely.pipelines[0].issuer = nowhere;
  const file = folder.write('lonely.yaml', stringify({ entraAccess: lonely }));
  const token = tenant.ci.mint('gitlab-staging', { claims: { iss: nowhere } });
  const { code, out, complaints } = await said('inspect', token, '--config', file);
  assert.equal(code, 1);
  assert.match(out, /^rejected: keys_unavailable\n/);
  assert.match(complaints, /could not be fetched/);
});

test('the token may come by standard input', async () => {
  const main = join(__dirname, 'main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'inspect', '-', '--config', config]);
  let out = '';
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stdin.end(`${tenant.ci.mint('github-staging')}\n`);
  const code = await new Promise(resolve => child.once('close', resolve));
  assert.equal(code, 0, out);
  assert.match(out, /^accepted\n {2}kind: pipeline/);
});
