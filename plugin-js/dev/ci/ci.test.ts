import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { startTenant } from '../tenant/server';
import type { Tenant } from '../tenant/tenant';
import { bitbucketIds } from './bitbucket';
import { issuerKeys, type IssuerKey } from './issuers';
import { BACKSTAGE_AUDIENCE, jobOf, jobs } from './jobs';
import { runnerEnvironment } from './runner';
import { forgeVariants, variantNames } from './variants';

let tenant: Tenant;
before(async () => {
  tenant = await startTenant();
});
after(() => tenant.close());

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const BRACED = new RegExp(`^\\{${UUID}\\}$`);
const DIGITS = /^\d+$/;

async function documentOf(key: IssuerKey) {
  const { issuer } = tenant.ci.issuers[key];
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown> & { jwks_uri: string };
}

async function verify(token: string, key: IssuerKey) {
  const keys = createRemoteJWKSet(new URL((await documentOf(key)).jwks_uri));
  const { issuer } = tenant.ci.issuers[key];
  return jwtVerify(token, keys, {
    issuer,
    audience: BACKSTAGE_AUDIENCE,
    algorithms: ['RS256'],
    requiredClaims: ['exp'],
  });
}

const claimsOf = (job: string) => decodeJwt(tenant.ci.mint(job));

test('each issuer has a document under its exact name and keys on the same host', async () => {
  const seen = new Set<string>();
  for (const key of issuerKeys) {
    const { issuer } = tenant.ci.issuers[key];
    const document = await documentOf(key);
    assert.equal(document.issuer, issuer);
    assert.ok(document.jwks_uri.startsWith(`${issuer}/`), document.jwks_uri);
    const { keys } = (await (await fetch(document.jwks_uri)).json()) as { keys: Array<Record<string, string>> };
    assert.equal(keys.length, 2);
    for (const { kid, alg, use, kty } of keys) {
      assert.deepEqual([alg, use, kty], ['RS256', 'sig', 'RSA']);
      assert.ok(kid && !seen.has(kid), 'no two issuers share a key');
      seen.add(kid);
    }
  }
});

test('the addresses are those of the real services, below the simulator', () => {
  const paths = issuerKeys.map(key => tenant.ci.issuers[key].issuer.slice(`${tenant.authority}/ci/`.length));
  assert.deepEqual(paths, [
    'gitlab.com',
    'gitlab.contoso.example',
    'api.bitbucket.org/2.0/workspaces/contoso/pipelines-config/identity/oidc',
    'api.bitbucket.org/2.0/workspaces/fabrikam/pipelines-config/identity/oidc',
    'token.actions.githubusercontent.com',
    'token.actions.githubusercontent.com/contoso',
    'github.contoso.example/_services/token',
  ]);
});

for (const { key, issuer } of jobs.filter(({ key }) => key !== 'gitlab-login')) {
  test(`jose verifies the token of ${key} at its issuer and at no other`, async () => {
    const token = tenant.ci.mint(key);
    const { payload } = await verify(token, issuer);
    assert.equal(payload.aud, BACKSTAGE_AUDIENCE);
    const other = issuer === 'github' ? 'gitlab' : 'github';
    await assert.rejects(verify(token, other), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });
}

test('a GitLab job token has the documented claims in their JSON types', () => {
  const { iat, exp, nbf, ...claims } = claimsOf('gitlab-staging');
  assert.deepEqual([exp! - iat!, iat! - nbf!], [300, 5]);
  const { runner_id, user_identities, pipeline_id, job_id, jti, ...texts } = claims;
  assert.equal(typeof runner_id, 'number');
  assert.ok(Array.isArray(user_identities));
  for (const id of [pipeline_id, job_id]) assert.match(String(id), DIGITS);
  assert.match(String(jti), new RegExp(`^${UUID}$`));
  // All the others are strings, the two that say yes or no as well.
  for (const [name, value] of Object.entries(texts)) assert.equal(typeof value, 'string', name);
  assert.deepEqual(
    [texts.project_id, texts.job_project_id, texts.namespace_id, texts.ref_protected, texts.environment_protected],
    ['42', '42', '7', 'true', 'true'],
  );
  assert.deepEqual(
    [texts.environment, texts.deployment_tier, texts.ref, texts.ref_type, texts.ref_path],
    ['staging', 'staging', 'main', 'branch', 'refs/heads/main'],
  );
  assert.equal(texts.sub, 'project_path:payments/payments-api:ref_type:branch:ref:main');
});

test('a GitLab job without an environment has none of its claims, and a merge request no address of its definition', () => {
  const build = claimsOf('gitlab-build');
  for (const name of ['environment', 'environment_protected', 'deployment_tier', 'environment_action']) {
    assert.ok(!(name in build), name);
  }
  const { ci_config_ref_uri, ci_config_sha } = claimsOf('gitlab-merge-request');
  assert.deepEqual([ci_config_ref_uri, ci_config_sha], [null, null]);
  const tag = claimsOf('gitlab-tag');
  assert.deepEqual([tag.ref, tag.ref_type, tag.ref_path], ['v1.2.0', 'tag', 'refs/tags/v1.2.0']);
});

test('a fork is told by the project of the job, in an old GitLab by nothing but the source', () => {
  const fork = claimsOf('gitlab-fork');
  assert.deepEqual([fork.project_id, fork.job_project_id, fork.pipeline_source], ['913', '42', 'merge_request_event']);
  const old = claimsOf('gitlab-fork-old');
  assert.equal(old.project_id, '42');
  assert.equal(old.pipeline_source, 'merge_request_event');
  for (const name of Object.keys(old)) assert.ok(!name.startsWith('job_project') && !name.startsWith('job_namespace'));
});

test('a login token has the key and the issuer of a job, and nothing of a job', async () => {
  const token = tenant.ci.mint('gitlab-login', { audience: BACKSTAGE_AUDIENCE });
  const { payload, protectedHeader } = await verify(token, 'gitlab');
  assert.equal(protectedHeader.kid, decodeProtectedHeader(tenant.ci.mint('gitlab-staging')).kid);
  for (const name of ['job_id', 'project_id', 'pipeline_id']) assert.ok(!(name in payload), name);
});

test('a Bitbucket step token has UUIDs in braces, a subject for each step and no jti', () => {
  const { iat, exp, ...claims } = claimsOf('bitbucket-staging');
  assert.equal(exp! - iat!, 3600);
  for (const name of ['nbf', 'jti']) assert.ok(!(name in claims), name);
  for (const [name, value] of Object.entries(claims)) {
    if (name.endsWith('Uuid')) assert.match(String(value), BRACED, name);
  }
  const { repositoryUuid, deploymentEnvironmentUuid, stepUuid, sub } = claims;
  assert.equal(sub, `${repositoryUuid}:${deploymentEnvironmentUuid}:${stepUuid}`);
  assert.notEqual(sub, claimsOf('bitbucket-staging').sub);

  const branch = claimsOf('bitbucket-branch');
  assert.ok(!('deploymentEnvironmentUuid' in branch));
  assert.equal(branch.sub, `${branch.repositoryUuid}:${branch.stepUuid}`);
  assert.equal(branch.branchName, 'feature/refund-limits');
});

test('a GitHub job token has the documented claims, all of them strings', () => {
  const { iat, exp, nbf, ...claims } = claimsOf('github-staging');
  assert.deepEqual([exp! - iat!, iat! - nbf!], [300, 600]);
  for (const [name, value] of Object.entries(claims)) assert.equal(typeof value, 'string', name);
  assert.deepEqual(
    [
      claims.repository,
      claims.repository_id,
      claims.repository_owner_id,
      claims.ref,
      claims.event_name,
      claims.head_ref,
    ],
    ['contoso/payments-api', '742019863', '6512', 'refs/heads/main', 'push', ''],
  );
});

test('the subject of a GitHub job is that of its environment, its pull request or its ref', () => {
  for (const [job, subject] of [
    ['github-staging', 'repo:contoso/payments-api:environment:staging'],
    ['github-pull-request', 'repo:contoso/payments-api:pull_request'],
    ['github-pull-request-environment', 'repo:contoso/payments-api:environment:staging'],
    ['github-branch', 'repo:contoso/payments-api:ref:refs/heads/feature/refund-limits'],
    ['github-tag', 'repo:contoso/payments-api:ref:refs/tags/v1.2.0'],
    ['github-colon', 'repo:contoso/payments-api:environment:staging%3Aeu'],
    ['github-immutable', 'repo:contoso@6512/ledger@1104550271:environment:staging'],
  ] as const) {
    assert.equal(claimsOf(job).sub, subject);
  }
  assert.equal(claimsOf('github-colon').environment, 'staging:eu');
  assert.equal(claimsOf('github-pull-request').ref, 'refs/pull/17/merge');
});

test('a renamed project keeps its id, and who takes the old name has another', () => {
  for (const [before, renamed, squatter, id, name] of [
    ['gitlab-staging', 'gitlab-renamed', 'gitlab-squatter', 'project_id', 'project_path'],
    ['github-staging', 'github-renamed', 'github-squatter', 'repository_id', 'repository'],
  ] as const) {
    const [own, moved, other] = [claimsOf(before), claimsOf(renamed), claimsOf(squatter)];
    assert.equal(moved[id], own[id]);
    assert.notEqual(moved[name], own[name]);
    assert.notEqual(other[id], own[id]);
    assert.equal(other[name], own[name]);
  }
});

test('every other choice can be made by the caller', () => {
  const token = tenant.ci.mint('gitlab-staging', {
    audience: ['a', 'b'],
    now: 1000,
    lifetime: 7200,
    claims: { environment: undefined, project_id: 42 },
    header: { typ: undefined },
    signWith: tenant.ci.issuers.gitlab.keys.standby,
  });
  const { aud, iat, nbf, exp, project_id, ...rest } = decodeJwt(token);
  assert.deepEqual([aud, iat, nbf, exp, project_id], [['a', 'b'], 1000, 995, 8200, 42]);
  assert.ok(!('environment' in rest));
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'RS256', kid: tenant.ci.issuers.gitlab.keys.standby.kid });
});

test('no two tokens of a job are the same', () => {
  for (const { key } of jobs.filter(({ key }) => key !== 'gitlab-login')) {
    assert.notDeepEqual(claimsOf(key), claimsOf(key), key);
  }
  assert.notEqual(claimsOf('gitlab-staging').jti, claimsOf('gitlab-staging').jti);
});

test('GitLab gives a job its tokens by the names that it asked for', () => {
  const environment = runnerEnvironment(tenant, 'gitlab-staging', { idTokens: { ONE: 'a', TWO: ['a', 'b'] } });
  assert.deepEqual(Object.keys(environment), ['ONE', 'TWO']);
  assert.equal(decodeJwt(environment.ONE!).aud, 'a');
  assert.deepEqual(decodeJwt(environment.TWO!).aud, ['a', 'b']);
});

test('Bitbucket gives a step one token, for the workspace or for the audiences that it names', () => {
  const audienceFor = (audiences?: string[]) =>
    decodeJwt(runnerEnvironment(tenant, 'bitbucket-staging', { audiences }).BITBUCKET_STEP_OIDC_TOKEN!).aud;
  assert.equal(audienceFor(), `ari:cloud:bitbucket::workspace/${bitbucketIds.workspace}`);
  assert.equal(audienceFor(['a']), 'a');
  assert.deepEqual(audienceFor(['a', 'b']), ['a', 'b']);
});

test('GitHub gives a job an address and a secret to ask for a token with, which fits no other job', async () => {
  const own = runnerEnvironment(tenant, 'github-staging');
  const other = runnerEnvironment(tenant, 'github-production');
  const ask = async (address: string, secret?: string) => {
    const headers: Record<string, string> = secret === undefined ? {} : { authorization: `bearer ${secret}` };
    const response = await fetch(address, { headers });
    return { status: response.status, body: (await response.json()) as { value: string } };
  };
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret = '' } = own;
  const given = await ask(`${url}&audience=https%3A%2F%2Fx.example`, secret);
  assert.equal(given.status, 200);
  assert.equal(decodeJwt(given.body.value).aud, 'https://x.example');
  assert.equal(decodeJwt(given.body.value).environment, 'staging');
  assert.equal(decodeJwt((await ask(url, secret)).body.value).aud, 'https://github.com/contoso');
  assert.equal((await ask(url)).status, 401);
  assert.equal((await ask(url, other.ACTIONS_ID_TOKEN_REQUEST_TOKEN)).status, 401);
});

test('a token for a curl line', async () => {
  const get = async (query: string) => {
    const response = await fetch(`${tenant.authority}/ci/mint?${query}`);
    return { status: response.status, text: await response.text() };
  };
  assert.equal(decodeJwt((await get('job=gitlab-staging')).text).aud, BACKSTAGE_AUDIENCE);
  assert.equal(decodeJwt((await get('job=gitlab-staging&audience=a')).text).aud, 'a');
  assert.deepEqual(decodeJwt((await get('job=gitlab-staging&audience=a&audience=b')).text).aud, ['a', 'b']);
  assert.equal(decodeJwt((await get('variant=other-audience')).text).aud, 'https://vault.contoso.example');
  for (const [query, what] of [
    ['', /^job: one of .*gitlab-staging/],
    ['job=nobody', /^job: one of/],
    ['variant=kindness', /^variant: one of/],
  ] as const) {
    const { status, text } = await get(query);
    assert.equal(status, 400);
    assert.match(text, what);
  }
});

test('variants have names, reasons, and what jose says to those that are not genuine', async () => {
  assert.equal(new Set(variantNames).size, variantNames.length);
  const refused: Record<string, string> = {};
  for (const { name, title, expect, token } of forgeVariants(tenant.ci)) {
    assert.ok(title && /^[a-z_]+$/.test(expect));
    const issuer =
      jobs.find(({ key }) => key === name)?.issuer ?? (name === 'default-audience' ? 'bitbucket' : 'gitlab');
    const at = name === 'issuer-slash' ? 'github' : issuer;
    await verify(token, at).catch(error => (refused[name] = error.code));
  }
  // All the others are genuine tokens for our audience: only a reader of their claims can refuse them.
  assert.deepEqual(refused, {
    'gitlab-login': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'other-audience': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    'default-audience': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    expired: 'ERR_JWT_EXPIRED',
    'attacker-key': 'ERR_JWKS_NO_MATCHING_KEY',
    'other-issuers-key': 'ERR_JWKS_NO_MATCHING_KEY',
    'other-issuers-key-our-kid': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'issuer-slash': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  });
  assert.throws(() => jobOf('kindness'), /no job is called kindness/);
});
