/** Each template of docs/pipelines, as it stands there, against a real backend and the simulated service */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { issuerDefinitions } from '../dev/ci/issuers';
import { jobOf } from '../dev/ci/jobs';
import { pipelinesOf } from '../dev/ci/trust';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { people } from '../dev/tenant/people';
import { runScript, templateOf } from './support/template';

const TEMPLATES = [
  ['gitlab-ci.yml', 'gitlab'],
  ['bitbucket-pipelines.yml', 'bitbucket'],
  ['github-workflow.yml', 'github'],
] as const;
const UNTRUSTED = { gitlab: 'gitlab-fork', bitbucket: 'bitbucket-branch', github: 'github-pull-request' } as const;
const ENTITY_REF = 'component:default/payments-api';
/** Three segments that are no dots of a sentence */
const TOKEN = /[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/;

let environment: Environment;
before(async () => {
  environment = await startEnvironment({
    configure({ entraAccess }, { ci }) {
      const pipelines = pipelinesOf(ci);
      // What the templates ask for.
      for (const [at, [file]] of TEMPLATES.entries()) pipelines[at]!.audiences = [templateOf(file).audience];
      entraAccess.pipelines = pipelines;
    },
  });
  const client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
});
after(() => environment?.stop());

for (const [file, type] of TEMPLATES) {
  describe(file, () => {
    const template = templateOf(file);
    const run = (job: string, change: Record<string, string> = {}) =>
      runScript(template.script, {
        ...template.variables,
        ...template.tokens(environment.tenant, job),
        BACKSTAGE_URL: environment.backendUrl,
        ENTITY_REF,
        ...change,
      });

    test('refreshes the entity', async () => {
      assert.equal(template.environment, 'staging');
      assert.equal(issuerDefinitions[jobOf(`${type}-staging`).issuer].type, type);
      const { code, output } = await run(`${type}-staging`);
      assert.equal(code, 0, output);
    });

    test('fails where the policy says no, with the answer of Backstage', async () => {
      const { code, output } = await run(`${type}-production`);
      assert.notEqual(code, 0, output);
      assert.match(output, /NotAllowedError/);
    });

    test('fails where the job is not trusted, with the code', async () => {
      const { code, output } = await run(UNTRUSTED[type]);
      assert.notEqual(code, 0, output);
      assert.match(output, /pipeline_untrusted/);
    });

    test('fails without a token', async () => {
      const empty = Object.keys(template.tokens(environment.tenant, `${type}-staging`)).map(
        name => [name, ''] as const,
      );
      const { code } = await run(`${type}-staging`, Object.fromEntries(empty));
      assert.notEqual(code, 0);
    });

    test('shows no token but to have it masked', async () => {
      const { output } = await run(`${type}-staging`);
      const lines = output.split('\n').filter(line => !line.startsWith('::add-mask::'));
      assert.ok(!lines.some(line => TOKEN.test(line)), 'a token in the log');
    });
  });
}
