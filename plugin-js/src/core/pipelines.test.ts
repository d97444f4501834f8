import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { parseEntityRef } from '@backstage/catalog-model';
import { signRaw } from '../../dev/tenant/jws';
import { recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from './core';
import { pipelineKey, pipelineRef } from './pipelines';
import type { PipelineJob, Principal, PrincipalHandle } from './types';

const ISSUER = 'https://gitlab.example.com';
const AUDIENCE = 'https://backstage.example.com';
const GROUP = 'cccccccc-0000-0000-0000-000000000001';
const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
const READ = { name: 'catalog.entity.read', action: 'read', resourceType: 'catalog-entity' } as const;

const CONFIGURATION = JSON.stringify({
  tenants: [{ tenantId: '11111111-2222-3333-4444-555555555555', audiences: ['api://backstage'] }],
  pipelines: [
    {
      id: 'gitlab',
      type: 'gitlab',
      issuer: ISSUER,
      audiences: [AUDIENCE],
      trust: [
        { name: 'staging', match: { project_id: '42' }, groups: [GROUP], publish: ['environment'] },
        { name: 'once', match: { project_id: '44' }, groups: [GROUP], singleUse: true },
      ],
    },
  ],
  policy: {},
});

const rule = (principal: object) =>
  JSON.stringify({
    rules: [{ id: 'jobs', effect: 'allow', permissions: ['catalog.entity.read'], principals: [principal] }],
  });

const cores: EntraCore[] = [];
after(() => cores.forEach(core => core.close()));

function openCore(policy = rule({ pipeline: 'gitlab' })): EntraCore {
  const core = new EntraCore({ configuration: CONFIGURATION, logger: new RecordingLogger() });
  cores.push(core);
  core.setPolicy(policy, 'policy');
  const issuer = core.issuers.find(({ id }) => id === 'pipeline:gitlab')!;
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' };
  assert.ok(core.setKeys(issuer, JSON.stringify({ keys: [jwk] })).ok);
  return core;
}

function tokenOf(change: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: 'project_path:acme/payments:ref_type:branch:ref:main',
    aud: AUDIENCE,
    iat: now,
    nbf: now - 5,
    exp: now + 300,
    jti: 'a-job',
    project_id: '42',
    namespace_id: '7',
    pipeline_id: '1001',
    pipeline_source: 'push',
    job_id: '5005',
    ref: 'main',
    ref_type: 'branch',
    ref_protected: 'true',
    environment: 'staging',
    user_login: 'olivia',
    user_email: 'olivia@example.com',
    ...change,
  };
  return signRaw(JSON.stringify({ alg: 'RS256', kid: 'k', typ: 'JWT' }), JSON.stringify(claims), {
    privateKey: key.privateKey,
  } as Parameters<typeof signRaw>[2]);
}

function enter(core: EntraCore, token: string): PrincipalHandle {
  const answer = core.authenticate(token);
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.principal;
}

test('the issuers of pipelines follow the tenants and have keys of their own', () => {
  const issuers = openCore().issuers.map(({ id, issuer, discoveryUrl, pipeline, tenantId, graph }) => {
    return { id, issuer, discoveryUrl, pipeline, tenantId, graph };
  });
  assert.deepEqual(issuers.at(-1), {
    id: 'pipeline:gitlab',
    issuer: ISSUER,
    discoveryUrl: `${ISSUER}/.well-known/openid-configuration`,
    pipeline: 'gitlab',
    tenantId: '',
    graph: '',
  });
  assert.equal(issuers.length, 3);
  assert.equal(issuers[0]?.pipeline, undefined);
});

test('a job is a principal with the groups of its entry, and keeps no e-mail address', () => {
  const core = openCore();
  const handle = enter(core, tokenOf());
  const principal = core.describe(handle)!;
  assert.equal(principal.kind, 'pipeline');
  assert.equal(principal.issuer, 'pipeline:gitlab');
  assert.deepEqual(principal.groups, { state: 'known', ids: [GROUP] });
  const { job, ...rest } = principal.pipeline!;
  assert.deepEqual(rest, { type: 'gitlab', trust: 'staging', subject: '42', published: { environment: 'staging' } });
  assert.equal(job.job_id, '5005');
  assert.equal(job.user_login, 'olivia');
  assert.ok(!JSON.stringify(principal).includes('@'));
  assert.equal(core.decide(handle, READ).effect, 'ALLOW');
  const again = core.admit(principal, pipelineRef(principal), principal.expiresAt)!;
  assert.deepEqual(core.describe(again), principal);
  assert.equal(core.decide(again, READ).effect, 'ALLOW');
});

test('rules select jobs by pipeline, entry and published claims', () => {
  for (const [selector, environment, expected] of [
    [{ pipeline: 'gitlab', trust: 'staging' }, 'staging', 'ALLOW'],
    [{ pipeline: 'gitlab', trust: 'once' }, 'staging', 'DENY'],
    [{ pipeline: 'gitlab', claims: { environment: 'staging' } }, 'staging', 'ALLOW'],
    [{ pipeline: 'gitlab', claims: { environment: 'staging' } }, 'production', 'DENY'],
    [{ kind: 'pipeline' }, 'production', 'ALLOW'],
    [{ group: GROUP }, 'production', 'ALLOW'],
  ] as const) {
    const core = openCore(rule(selector));
    assert.equal(core.decide(enter(core, tokenOf({ environment })), READ).effect, expected, JSON.stringify(selector));
  }
});

test('a rule that selects what is not configured is refused, unless there is no configuration to look at', () => {
  const core = openCore();
  for (const [selector, message] of [
    [{ pipeline: 'github' }, /principals\[0\]\.pipeline: no pipeline `github` is configured/],
    [{ pipeline: 'gitlab', trust: 'x' }, /principals\[0\]\.trust: `x` is no trust entry/],
    [{ pipeline: 'gitlab', claims: { ref: 'main' } }, /principals\[0\]\.claims: `ref` is published by no entry/],
    [{ pipeline: 'gitlab', trust: 'once', claims: { environment: 'x' } }, /`environment` is published by no entry/],
    [{ pipeline: 'gitlab', claims: {} }, /principals\[0\]\.claims: no claim is named/],
    [{ pipeline: 'gitlab', claims: { environment: 7 } }, /claims\.environment: invalid type/],
  ] as const) {
    assert.throws(() => core.setPolicy(rule(selector), 'policy'), message);
  }
  core.setPolicy(rule({ pipeline: 'github', trust: 'x' }), 'policy', { anyPipeline: true });
  assert.deepEqual(core.ruleIds, ['jobs']);
});

test('a token that counts once makes nobody until it is claimed, and each offering has to be', () => {
  const core = openCore();
  const token = tokenOf({ project_id: '44' });
  const first = enter(core, token);
  const described = core.describe(first)!;
  assert.deepEqual(described.pipeline?.singleUse, { issuer: ISSUER, jti: 'a-job', until: described.expiresAt });
  assert.equal(core.decide(first, READ).effect, 'DENY');
  assert.equal(core.owners(first), undefined);
  assert.equal(core.explain(first, READ), undefined);
  assert.equal(core.admit(described, 'pipeline:gitlab/x', described.expiresAt), undefined, 'an unclaimed record');

  assert.equal(core.claimed(first), true);
  assert.equal(core.claimed(first), false, 'there is nothing more to claim');
  assert.equal(core.describe(first)?.pipeline?.singleUse, undefined);
  assert.equal(core.decide(first, READ).effect, 'ALLOW');
  const second = enter(core, token);
  assert.notEqual(second, first, 'answered from the token cache');
  assert.equal(core.decide(second, READ).effect, 'DENY');
  assert.equal(core.claimed(enter(core, tokenOf())), false, 'a token that may be used as often as one likes');
});

test('the token inspector shows the nearest entries claim by claim', () => {
  const shown = openCore().inspect(tokenOf({ project_id: '43' }))!;
  assert.equal(shown.code, 'pipeline_untrusted');
  assert.deepEqual(
    shown.checks.filter(({ check }) => check.startsWith('trust ')),
    ['staging', 'once'].map((name, at) => ({
      check: `trust ${name}: project_id`,
      expected: ['42', '44'][at],
      actual: '43',
      outcome: 'fail',
      hint: `\`match.project_id\` of \`${name}\` in the trust entries of pipeline:gitlab`,
    })),
  );
});

function job(change: Partial<PipelineJob>, issuer = 'pipeline:gitlab'): Principal {
  const pipeline: PipelineJob = { type: 'gitlab', trust: 'staging', subject: '42', published: {}, job: {}, ...change };
  return recordOf({ kind: 'pipeline', issuer, pipeline });
}

test('refs are valid, stable, and of one kind of job each', () => {
  assert.equal(pipelineRef(job({})), 'pipeline:gitlab/staging.42');
  const uuid = '11111111-aaaa-0000-0000-000000000001';
  const longest = job({ trust: 'a'.repeat(30), subject: uuid }, `pipeline:${'b'.repeat(63)}`);
  const digested = job({ ...longest.pipeline, published: { environment: 'x'.repeat(1000) } });
  for (const principal of [job({}), longest, digested, job({ published: { environment: 'é/:@' } })]) {
    const { kind, namespace, name } = parseEntityRef(pipelineRef(principal));
    assert.equal(kind, 'pipeline');
    assert.match(namespace, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.match(name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
    assert.ok(namespace.length <= 63 && name.length <= 63, name);
  }
  const different = [
    job({}),
    job({ subject: '43' }),
    job({ trust: 'staging-2' }),
    job({}, 'pipeline:other'),
    job({ published: { environment: 'staging' } }),
    job({ published: { environment: 'production' } }),
    job({ published: { ref: 'staging' } }),
    job({ published: { environment: 'staging' }, subject: '43' }),
  ];
  assert.equal(new Set(different.map(pipelineRef)).size, different.length);
  assert.equal(new Set(different.map(pipelineKey)).size, different.length);
  const [one, same] = [
    { a: '1', b: '2' },
    { b: '2', a: '1' },
  ].map(published => job({ published, job: { x: 'y' } }));
  assert.equal(pipelineRef(one!), pipelineRef(same!));
  assert.throws(() => pipelineRef(recordOf()), TypeError);
});
