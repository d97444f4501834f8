/** The templates of docs/pipelines, run as their service would run them: its shell, its variables, its token */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runnerEnvironment, type TokenWish } from '../../dev/ci/runner';
import type { Tenant } from '../../dev/tenant/tenant';

const FOLDER = join(__dirname, '..', '..', '..', 'docs', 'pipelines');

/** A job as its template describes it */
export interface Template {
  readonly file: string;
  readonly script: string;
  readonly environment: string;
  readonly variables: Record<string, string>;
  /** Audience that the job asks for */
  readonly audience: string;
  /** Variables about tokens that the service gives to such a job */
  tokens(tenant: Tenant, job: string): Record<string, string>;
}

type Yaml = Record<string, any>;
type Reader = (document: Yaml) => Omit<Template, 'file'>;

const gitlab: Reader = document => {
  const { script, variables, environment, id_tokens } = Object.values(document)[0] as Yaml;
  const idTokens = Object.fromEntries(Object.entries(id_tokens as Yaml).map(([name, { aud }]) => [name, aud]));
  return {
    script: script.join('\n'),
    environment,
    variables,
    audience: Object.values(idTokens)[0],
    tokens: (tenant, job) => runnerEnvironment(tenant, job, { idTokens }),
  };
};

const bitbucket: Reader = document => {
  const { script, deployment, oidc } = document.pipelines.branches.main[0].step;
  const wish: TokenWish = { audiences: oidc.audiences };
  return {
    script: script.join('\n'),
    environment: deployment,
    variables: {},
    audience: oidc.audiences[0],
    // Without `oidc` a step has no token.
    tokens: (tenant, job) => (oidc ? runnerEnvironment(tenant, job, wish) : {}),
  };
};

const github: Reader = document => {
  const { environment, env, steps } = document.jobs.staging;
  return {
    script: steps.map(({ run }: Yaml) => run).join('\n'),
    environment,
    variables: env,
    audience: env.AUDIENCE,
    // Without the permission a job cannot ask for one.
    tokens: (tenant, job) => (document.permissions['id-token'] === 'write' ? runnerEnvironment(tenant, job) : {}),
  };
};

const READERS: Record<string, Reader> = {
  'gitlab-ci.yml': gitlab,
  'bitbucket-pipelines.yml': bitbucket,
  'github-workflow.yml': github,
};

export function templateOf(file: string): Template {
  const reader = READERS[file];
  if (!reader) throw new Error(`no template is called ${file}`);
  return { file, ...reader(parse(readFileSync(join(FOLDER, file), 'utf8'))) };
}

/** Runs a script as all three services do: bash that stops at the first failure */
export function runScript(
  script: string,
  variables: Record<string, string>,
): Promise<{ code: number; output: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    env: { PATH, HOME, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code: code ?? -1, output }));
  });
}
