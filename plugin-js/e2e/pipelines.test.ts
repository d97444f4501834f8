/** Jobs of GitLab, Bitbucket and GitHub over HTTP: what they may, and what must be refused to them */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { bitbucketIds } from '../dev/ci/bitbucket';
import { githubRepositories } from '../dev/ci/github';
import { BACKSTAGE_AUDIENCE } from '../dev/ci/jobs';
import { pipelineOf, pipelinesOf } from '../dev/ci/trust';
import { forgeVariant, variantNames } from '../dev/ci/variants';
import { untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { people } from '../dev/tenant/people';
import { callerPlugin } from './support/caller';
import { captureLog, RememberingClient } from './support/company';

const PAYMENTS_API = 'component:default/payments-api';
const SEARCH_API = 'component:default/search-api';
const GITLAB_REF = /^pipeline:gitlab\/payments-staging\.[0-9a-z]+$/;

let environment: Environment;
let client: RememberingClient;
let log: ReturnType<typeof captureLog>;
before(async () => {
  log = captureLog();
  environment = await startEnvironment({
    logLevel: 'debug',
    features: [callerPlugin],
    configure({ entraAccess }, { ci }) {
      const brief = { ...pipelineOf(ci, 'gitlabSelfManaged', 'brief', ['staging']), leeway: 0 };
      const many = pipelineOf(ci, 'githubServer', 'many', ['staging']);
      entraAccess.pipelines = [...pipelinesOf(ci), { ...brief, trust: brief.trust.map(reusable) }, many];
    },
  });
  client = new RememberingClient(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(async () => {
  await environment?.stop();
  log.restore();
});

const reusable = <T extends { singleUse?: boolean }>({ singleUse: _, ...entry }: T) => entry;
const jobToken = (job: string, options?: Parameters<Environment['tenant']['ci']['mint']>[1]) =>
  environment.tenant.ci.mint(job, options);
const refresh = (token: string, entityRef = PAYMENTS_API) => client.call('/api/catalog/refresh', token, { entityRef });
const signIn = (job: string) => client.tokenFor(jobToken(job));

async function refusal(token: string): Promise<string> {
  const { status, body } = await client.signIn(token);
  assert.equal(status, 401, JSON.stringify(body));
  return body.error.code;
}

describe('staging may what production may not', () => {
  for (const type of ['gitlab', 'bitbucket', 'github']) {
    test(`${type}: the job that deploys to staging refreshes what its group owns, and nothing else`, async () => {
      const token = await signIn(`${type}-staging`);
      assert.equal((await refresh(token)).status, 200);
      assert.equal((await refresh(token, SEARCH_API)).status, 403);
      const { body } = await client.explain(token, 'catalog.entity.refresh', PAYMENTS_API);
      assert.deepEqual([body.result, body.rule], ['ALLOW', 'staging-pipelines']);
      assert.deepEqual([body.groups.state, body.groups.count], ['known', 1]);
    });

    test(`${type}: the one that deploys to production owns the same and may not`, async () => {
      const token = await signIn(`${type}-production`);
      assert.equal((await refresh(token)).status, 403);
      const { body } = await client.explain(token, 'catalog.entity.refresh', PAYMENTS_API);
      assert.equal(body.result, 'DENY');
    });
  }

  test('the rights of a job hang on nobody who started it', async () => {
    const { body } = await client.call('/api/entra-access/v1/whoami', await signIn('gitlab-staging'));
    assert.equal(body.kind, 'pipeline');
    assert.match(body.entityRef, GITLAB_REF);
    assert.deepEqual([body.pipeline.trust, body.pipeline.subject], ['payments-staging', '42']);
    assert.deepEqual(body.pipeline.published, { environment: 'staging', deployment_tier: 'staging' });
    assert.deepEqual(body.groups, { state: 'known', count: 1 });
    assert.deepEqual(body.owners, ['group:default/payments', body.entityRef]);
    assert.equal(body.name, null);
  });
});

describe('who is refused at the door', () => {
  /** These have entries of their own here */
  const TRUSTED = ['gitlab-production', 'gitlab-tag', 'bitbucket-production', 'github-production'];

  for (const name of variantNames.filter(name => !TRUSTED.includes(name))) {
    test(`${name}, by exchange and by a direct call`, async () => {
      const { token, expect } = forgeVariant(environment.tenant.ci, name);
      assert.equal(await refusal(token), expect);
      const { status, body } = await refresh(token);
      assert.equal(status, 401);
      // Of an issuer that nobody named Backstage's own handlers speak, and they know no codes.
      if (expect !== 'issuer_untrusted') assert.equal(body.error.code, expect);
    });
  }

  test('a job whose token is also for somebody else', async () => {
    const audience = [BACKSTAGE_AUDIENCE, 'https://vault.contoso.example'];
    assert.equal(await refusal(jobToken('bitbucket-staging', { audience })), 'audience_mismatch');
  });

  test('the same project under its new path is let in, whoever took the old one is not', async () => {
    assert.equal((await client.signIn(jobToken('gitlab-renamed'))).status, 200);
    assert.equal((await client.signIn(jobToken('github-renamed'))).status, 200);
    assert.equal(await refusal(jobToken('gitlab-squatter')), 'pipeline_untrusted');
    assert.equal(await refusal(jobToken('github-squatter')), 'pipeline_untrusted');
  });

  test('a token of one instance at another: the exact issuer has its own keys', async () => {
    const { ci } = environment.tenant;
    const stolenIssuer = jobToken('gitlab-self-managed', { claims: { iss: ci.issuers.gitlab.issuer } });
    assert.equal(await refusal(stolenIssuer), 'key_unknown');
    assert.equal(await refusal(jobToken('github-enterprise')), 'issuer_untrusted');
  });
});

describe('single use', () => {
  test('a stolen staging token is worth nothing after the job has used it', async () => {
    const token = jobToken('gitlab-staging');
    assert.equal((await client.signIn(token)).status, 200);
    assert.equal(await refusal(token), 'token_replayed');
    const { status, body } = await refresh(token);
    assert.deepEqual([status, body.error.code], [401, 'token_replayed']);
  });

  test('of twenty who offer it at once one is let in', async () => {
    const token = jobToken('gitlab-staging');
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.signIn(token)));
    assert.deepEqual(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, body } of answers.filter(({ status }) => status !== 200)) {
      assert.deepEqual([status, body.error.code], [401, 'token_replayed']);
    }
  });

  test('a direct call is a use, too', async () => {
    const token = jobToken('gitlab-staging');
    assert.equal((await refresh(token)).status, 200);
    assert.equal((await refresh(token)).body.error.code, 'token_replayed');
    assert.equal(await refusal(token), 'token_replayed');
  });

  test('of twenty direct calls with it one is answered', async () => {
    const token = jobToken('gitlab-staging');
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    const codes = answers.map(({ status, body }) => (status === 200 ? 'ok' : body.error.code));
    assert.deepEqual(codes.sort(), ['ok', ...Array.from({ length: 19 }, () => 'token_replayed')]);
  });

  test('to look at a token is no use of it', async () => {
    const token = jobToken('gitlab-staging');
    const adam = await client.tokenFor(environment.tenant.mintAccessToken(people.adam));
    const { body } = await client.call('/api/entra-access/v1/tokens/inspect', adam, { token });
    assert.equal(body.verdict, 'accepted', JSON.stringify(body));
    assert.equal((await client.signIn(token)).status, 200);
  });

  test('where an entry does not ask for it, a token serves as often as it is offered', async () => {
    const token = jobToken('bitbucket-staging');
    for (let at = 0; at < 3; at += 1) {
      assert.equal((await client.signIn(token)).status, 200);
      assert.equal((await refresh(token)).status, 200);
    }
  });
});

describe('what Backstage sees', () => {
  test('a user principal with an entity of its own kind, the same for every job of the entry', async () => {
    const [one, two] = await Promise.all([signIn('gitlab-staging'), signIn('gitlab-staging')]);
    const { body } = await client.call('/api/caller/person', one);
    assert.equal(body.type, 'user');
    assert.match(body.userEntityRef, GITLAB_REF);
    assert.equal((await client.call('/api/caller/person', two)).body.userEntityRef, body.userEntityRef);
    const production = await client.call('/api/caller/person', await signIn('gitlab-production'));
    assert.notEqual(production.body.userEntityRef, body.userEntityRef);
  });

  test('a direct call is one of the job itself, which may not have conditions applied as plugins may', async () => {
    const { body } = await client.call('/api/caller/person', jobToken('github-staging'));
    assert.deepEqual([body.type, body.actor], ['user', undefined]);
    const path = '/api/catalog/.well-known/backstage/permissions/apply-conditions';
    assert.equal((await client.call(path, jobToken('github-staging'), { items: [] })).status, 403);
  });

  test('what it owns, also for plugins that ask the user info service', async () => {
    const { body } = await client.call('/api/caller/owns', await signIn('gitlab-staging'));
    assert.ok(body.ownershipEntityRefs.includes('group:default/payments'), JSON.stringify(body));
    assert.ok(body.ownershipEntityRefs.includes(body.userEntityRef));
  });

  test('a plugin that calls another on its behalf, as the scaffolder does', async () => {
    for (const [job, status] of [
      ['gitlab-staging', 200],
      ['gitlab-production', 403],
    ] as const) {
      const body = { entityRef: PAYMENTS_API };
      assert.equal((await client.call('/api/caller/catalog/refresh', await signIn(job), body)).status, status);
    }
    const direct = await client.call('/api/caller/catalog/refresh', jobToken('github-staging'), {
      entityRef: PAYMENTS_API,
    });
    assert.equal(direct.status, 200);
  });

  test('the permission API answers it like any user', async () => {
    const ask = async (job: string) => {
      const permission = {
        type: 'resource',
        name: 'catalog.entity.refresh',
        attributes: { action: 'update' },
        resourceType: 'catalog-entity',
      };
      const items = [{ id: '1', resourceRef: PAYMENTS_API, permission }];
      const { body } = await client.call('/api/permission/authorize', await signIn(job), { items });
      return body.items[0].result;
    };
    assert.equal(await ask('gitlab-staging'), 'ALLOW');
    assert.equal(await ask('gitlab-production'), 'DENY');
  });

  test('a repository whose subject has ids in it, and an environment with a colon, are other jobs', async () => {
    assert.equal(await refusal(jobToken('github-colon')), 'pipeline_untrusted');
    assert.equal(await refusal(jobToken('github-immutable')), 'pipeline_untrusted');
    const subject = `repo:contoso@6512/payments-api@${githubRepositories.paymentsApi.id}:environment:staging`;
    assert.equal((await client.signIn(jobToken('github-staging', { claims: { sub: subject } }))).status, 200);
  });

  test('a UUID without braces is the same UUID', async () => {
    const claims = { repositoryUuid: bitbucketIds.paymentsApi.toUpperCase() };
    assert.equal((await client.signIn(jobToken('bitbucket-staging', { claims }))).status, 200);
  });
});

describe('how long it lasts', () => {
  test('the job is told when, and never more than ten minutes', async () => {
    for (const [job, seconds] of [
      ['gitlab-staging', 300],
      ['bitbucket-staging', 600],
      ['github-staging', 300],
    ] as const) {
      const before = Date.now();
      const { body } = await client.signIn(jobToken(job));
      assert.deepEqual(
        [body.providerInfo.pipeline, body.providerInfo.trust],
        [`pipeline:${job.split('-')[0]}`, 'payments-staging'],
      );
      const lasts = (Date.parse(body.providerInfo.expiresAt) - before) / 1000;
      // A clock may be wrong by the leeway.
      assert.ok(lasts > seconds - 5 && lasts <= Math.min(600, seconds + 60), `${job}: ${lasts} s`);
    }
  });

  test('the Backstage token ends with the token of the job, for every plugin', async () => {
    const another = await client.tokenFor(jobToken('gitlab-self-managed'));
    // Issued a minute ago, to a job that is almost at its end.
    const now = Math.floor(Date.now() / 1000) - 60;
    const brief = await client.tokenFor(jobToken('gitlab-self-managed', { now, lifetime: 64 }));
    assert.ok(decodeJwt(brief).exp! - Date.now() / 1000 > 3000, 'Backstage says an hour');
    assert.equal((await client.call('/api/caller/person', brief)).status, 200);
    await pause(5_000);
    for (const path of ['/api/caller/person', '/api/catalog/entities', '/api/entra-access/v1/whoami']) {
      const { status, body } = await client.call(path, brief);
      assert.deepEqual([status, body.error.code], [401, 'token_expired'], path);
    }
    assert.equal((await client.call('/api/caller/person', another)).status, 200, 'another job of the entry goes on');
  });

  test('a direct call ends with the token of the job', async () => {
    const token = jobToken('gitlab-self-managed', { now: Math.floor(Date.now() / 1000) - 60, lifetime: 63 });
    assert.equal((await client.call('/api/caller/person', token)).status, 200);
    await pause(4_000);
    const { status, body } = await client.call('/api/caller/person', token);
    assert.deepEqual([status, body.error.code], [401, 'token_expired']);
  });
});

describe('keys', () => {
  test('each issuer has its own, and a new one is fetched when a token names it', async () => {
    const { issuers } = environment.tenant.ci;
    const { requests } = environment.tenant;
    const others = requests['ci.bitbucket.jwks'];
    assert.equal((await client.signIn(jobToken('github-server'))).status, 200);
    const own = requests['ci.githubServer.jwks'] ?? 0;
    await issuers.githubServer.keys.roll({ overlap: true });
    assert.equal((await client.signIn(jobToken('github-server'))).status, 200);
    assert.equal(requests['ci.githubServer.jwks'], own + 1);
    assert.equal(requests['ci.bitbucket.jwks'], others);
  });
});

describe('the log', () => {
  test('holds no claim of a refused token, at the finest level', async () => {
    const names = ['ref', 'project_path', 'jti', 'environment', 'user_login', 'user_email', 'sub', 'user_id'];
    const claims = Object.fromEntries(names.map(name => [name, `hush-${name}`]));
    const audience = 'https://hush.example';
    const { current } = environment.tenant.ci.issuers.github.keys;
    for (const options of [
      { claims },
      { claims, audience },
      { claims: { ...claims, project_id: 42 } },
      { claims: { ...claims, job_id: undefined } },
      { claims, lifetime: 999_999 },
      { claims, signWith: current },
      { claims: { ...claims, environment: ['hush-list'] } },
    ]) {
      const token = jobToken('gitlab-staging', options);
      assert.ok(await refusal(token));
      assert.equal((await refresh(token)).status, 401);
    }
    const text = log.text();
    assert.ok(
      !text.includes('hush'),
      text.split('\n').find(line => line.includes('hush')),
    );
    // So it is a log that would have shown it.
    for (const line of [/debug.* is denied/, /POST \/api\/catalog\/refresh/]) assert.ok(line.test(text), String(line));
  });

  test('holds no token of any test here, and nobody’s address', () => {
    const text = log.text();
    assert.ok(client.sent.size > 80, `${client.sent.size} tokens`);
    for (const part of [...client.sent].flatMap(token => token.split('.')).filter(part => part.length > 60)) {
      // Headers are alike and say nothing.
      if (!part.startsWith('eyJ0eXAi')) assert.ok(!text.includes(part), part.slice(0, 40));
    }
    assert.ok(!text.includes('dana@contoso.example'));
  });
});
