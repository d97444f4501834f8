/** Templates, their steps and actions under the policy, by the scaffolder's own rules and with the real scaffolder */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import templateModel from '@backstage/plugin-catalog-backend-module-scaffolder-entity-model';
import scaffolderBackend from '@backstage/plugin-scaffolder-backend';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import { captureLog } from './support/company';
import './support/conforms';

const TEMPLATE = 'template:default/service';
const tagged = (tag: string) => ({ 'backstage:permissions': { tags: [tag] } });
/** A form of two pages, and two steps: one of each is for some only */
const template = {
  apiVersion: 'scaffolder.backstage.io/v1beta3',
  kind: 'Template',
  metadata: { name: 'service', title: 'A service' },
  spec: {
    type: 'service',
    owner: 'group:default/payments',
    parameters: [
      { title: 'Name', properties: { name: { type: 'string' } } },
      { title: 'Secrets', properties: { secret: { type: 'string' } }, ...tagged('secret') },
    ],
    steps: [
      { id: 'log', name: 'Log', action: 'debug:log', input: { message: 'logged-for-all' } },
      { id: 'wait', name: 'Wait', action: 'debug:wait', input: { milliseconds: 1 }, ...tagged('secret') },
    ],
  },
};
const PAYMENTS = [{ group: groups.payments.id }];
const actionId = (id: string) => ({ rule: 'HAS_ACTION_ID', params: { actionId: id } });
const RULES = [
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  { id: 'reads', effect: 'allow', permissions: ['catalog.entity.read'] },
  { id: 'runs', effect: 'allow', permissions: ['scaffolder.task.create', 'scaffolder.task.read'] },
  {
    id: 'forms',
    effect: 'allow',
    permissions: ['scaffolder.template.*'],
    when: { not: { rule: 'HAS_TAG', params: { tag: 'secret' } } },
  },
  { id: 'payments-forms', effect: 'allow', permissions: ['scaffolder.template.*'], principals: PAYMENTS },
  { id: 'logs', effect: 'allow', permissions: ['scaffolder.action.execute'], when: actionId('debug:log') },
  {
    id: 'payments-wait',
    effect: 'allow',
    permissions: ['scaffolder.action.execute'],
    principals: PAYMENTS,
    when: actionId('debug:wait'),
  },
  {
    id: 'agents-only-log',
    effect: 'deny',
    permissions: ['scaffolder.action.execute'],
    principals: [{ kind: 'agent' }],
    when: { not: actionId('debug:log') },
  },
];

let folder: string;
let environment: Environment;
let client: Client;
let log: ReturnType<typeof captureLog>;

before(async () => {
  log = captureLog();
  folder = mkdtempSync(join(tmpdir(), 'entra-access-scaffolder-'));
  const target = join(folder, 'template.yaml');
  writeFileSync(target, JSON.stringify(template));
  environment = await startEnvironment({
    configure(config) {
      config.catalog.rules[0].allow.push('Template');
      config.catalog.locations.push({ type: 'file', target });
      config.entraAccess.policy = { rules: RULES };
    },
    features: [scaffolderBackend, templateModel],
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  const admin = await tokenOf(people.adam);
  await until(async () => {
    const { status } = await client.call('/api/catalog/entities/by-name/template/default/service', admin);
    return status === 200;
  }, 'the template');
});
after(async () => {
  await environment?.stop();
  rmSync(folder, { recursive: true, force: true });
  log.restore();
});

const tokenOf = (who: Principal) => client.tokenFor(environment.tenant.mintAccessToken(who));

async function until(met: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 60 s`);
    await new Promise(done => setTimeout(done, 100));
  }
}

/** The pages of the form that somebody is shown */
async function pagesFor(token: string): Promise<string[]> {
  const path = '/api/scaffolder/v2/templates/default/template/service/parameter-schema';
  const { status, body } = await client.call(path, token);
  assert.equal(status, 200, JSON.stringify(body));
  return body.steps.map(({ title }: { title: string }) => title);
}

/** Runs the template: how it ended, and which steps did */
async function run(token: string): Promise<{ status: string; steps: string; error?: string }> {
  const { status, body } = await client.call('/api/scaffolder/v2/tasks', token, { templateRef: TEMPLATE, values: {} });
  assert.equal(status, 201, JSON.stringify(body));
  let task: any;
  await until(async () => {
    task = (await client.call(`/api/scaffolder/v2/tasks/${body.id}`, token)).body;
    return ['completed', 'failed'].includes(task.status);
  }, 'the task');
  const events = (await client.call(`/api/scaffolder/v2/tasks/${body.id}/events`, token)).body as any[];
  const ended = new Map(events.flatMap(({ body: { stepId, status: how } }) => (stepId && how ? [[stepId, how]] : [])));
  const error = events.find(({ type }) => type === 'completion')?.body.error?.message;
  return { status: task.status, steps: [...ended].map(pair => pair.join(' ')).join(', '), error };
}

test('the pages of a form are shown by their tags', async () => {
  assert.deepEqual(await pagesFor(await tokenOf(people.olivia)), ['Name', 'Secrets']);
  assert.deepEqual(await pagesFor(await tokenOf(people.dana)), ['Name']);
  assert.deepEqual(await pagesFor(environment.tenant.mintAccessToken(people.dana)), ['Name'], 'directly');
});

test('steps are left out by their tags, actions are executed by their ids', async () => {
  assert.deepEqual(await run(await tokenOf(people.olivia)), {
    status: 'completed',
    steps: 'log completed, wait completed',
    error: undefined,
  });
  // The step that is not for her is not there at all.
  assert.deepEqual(await run(await tokenOf(people.dana)), {
    status: 'completed',
    steps: 'log completed',
    error: undefined,
  });
});

test('an action that a rule denies is not executed, though the step is there', async () => {
  // The agent sees the step, as its person does, but may execute nothing but the log.
  const { status, steps, error } = await run(await tokenOf(agents.onBehalfOfOlivia));
  assert.equal(status, 'failed');
  assert.equal(steps, 'log completed, wait failed');
  assert.match(error ?? '', /Unauthorized action: debug:wait/);
});

test('a job of a pipeline is shown a form and runs a template as anybody with its groups does', async () => {
  const token = await client.tokenFor(environment.tenant.ci.mint('gitlab-staging'));
  assert.deepEqual(await pagesFor(token), ['Name', 'Secrets']);
  assert.deepEqual(await run(token), { status: 'completed', steps: 'log completed, wait completed', error: undefined });
});

test('the policy fits what the scaffolder declares', async () => {
  const { body } = await client.call('/api/entra-access/v1/status', await tokenOf(people.adam));
  assert.deepEqual(body.policy.warnings, []);
});
