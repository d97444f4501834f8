/** Keys of CI services: each issuer's own, fetched from its own place, and of no use for any other's tokens */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { issuerDefinitions, type IssuerKey } from '../../dev/ci/issuers';
import { jobs } from '../../dev/ci/jobs';
import { pipelineOf } from '../../dev/ci/trust';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore, type Issuer } from '../core';
import { KeySource } from './keySource';

/** One that deploys to staging at each issuer that is trusted here */
const JOBS = [
  'gitlab-staging',
  'gitlab-self-managed',
  'bitbucket-staging',
  'github-staging',
  'github-enterprise',
  'github-server',
];
const issuersOf = new Map(jobs.map(({ key, issuer }) => [key, issuer]));
const TRUSTED = JOBS.map(job => issuersOf.get(job)!);

let tenant: Tenant;
let core: EntraCore;
let keys: KeySource;
let logger: RecordingLogger;

before(async () => {
  tenant = await startTenant();
});
beforeEach(() => {
  logger = new RecordingLogger();
  const pipelines = TRUSTED.map(key => pipelineOf(tenant.ci, key, key.toLowerCase(), ['staging']));
  const configuration = JSON.stringify({ ...JSON.parse(configurationOf(tenant)), pipelines });
  core = new EntraCore({ configuration, logger });
  keys = new KeySource({ core, logger });
});
afterEach(() => {
  keys.close();
  core.close();
});
after(() => tenant.close());

function issuerOf(key: IssuerKey): Issuer {
  return core.issuers.find(({ issuer }) => issuer === tenant.ci.issuers[key].issuer) ?? assert.fail(key);
}

function verdict(job: string, options?: Parameters<Tenant['ci']['mint']>[1]): string {
  const answer = core.authenticate(tenant.ci.mint(job, options));
  return answer.ok ? 'accepted' : answer.code;
}

test('the core names every issuer with its own address', () => {
  for (const key of TRUSTED) {
    const { issuer } = tenant.ci.issuers[key];
    const { discoveryUrl, pipeline, id } = issuerOf(key);
    assert.equal(discoveryUrl, `${issuer}/.well-known/openid-configuration`);
    assert.equal(pipeline, issuerDefinitions[key].type);
    assert.equal(id, `pipeline:${key.toLowerCase()}`);
  }
});

test('the keys of one issuer make its own tokens good, and none of any other', async () => {
  for (const [at, key] of TRUSTED.entries()) {
    assert.equal(await keys.load(issuerOf(key)), true, logger.complaints.join('\n'));
    const expected = TRUSTED.map((_, other) => (other <= at ? 'accepted' : 'keys_unavailable'));
    assert.deepEqual(
      JOBS.map(job => verdict(job)),
      expected,
    );
  }
  for (const [at, job] of JOBS.entries()) {
    for (const other of TRUSTED.filter((_, index) => index !== at)) {
      assert.equal(
        verdict(job, { signWith: tenant.ci.issuers[other].keys.current }),
        'key_unknown',
        `${job} by ${other}`,
      );
    }
  }
});

test('an issuer whose keys vanish at once takes the new ones, when a token names one', async () => {
  await keys.load(issuerOf('githubServer'));
  const before = tenant.ci.mint('github-server');
  await tenant.ci.issuers.githubServer.keys.roll({ overlap: false });
  assert.equal(verdict('github-server'), 'key_unknown');
  assert.equal(await keys.refetch(issuerOf('githubServer'), 'key_unknown'), true);
  assert.equal(verdict('github-server'), 'accepted');
  const answer = core.authenticate(before);
  assert.equal(answer.ok ? 'accepted' : answer.code, 'key_unknown');
});
