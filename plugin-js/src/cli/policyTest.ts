import { ConfigurationError, type Study } from '../core';
import { UsageError, type Command } from './command';
import { decide, findEntity } from './question';
import { readTestFile, type Expectation, type WrittenTest } from './testFile';
import { reportText } from './testText';
import { World } from './world';

/** `entra-access policy test` */
export const policyTest: Command = {
  usage: `usage: entra-access policy test FILE [FILE ...] [--json]

Runs policy tests, written in YAML beside the policy, with the same core as the backend and without one:

  policy: ./entra-access-policy.yaml
  catalog: [./org.yaml]           # groups, users, entities; TRUSTED to bind Entra ids; absent: nobody certainly owns anything
  config: [./app-config.yaml]     # the backend's, for its tenants and \`groups.mapping\`; may be absent
  principals:
    olivia: { kind: user, tenantId: <id>, objectId: <id>, groups: [<id>] }
  tests:
    - name: an owner may refresh
      given: { principal: olivia, permission: catalog.entity.refresh, entity: 'component:default/payments-api' }
      expect: allow               # allow, deny, conditional
      rule: owners-manage         # may be absent; null: no rule
      reason: is owned by         # may be absent: what one of the reasons says

A principal and an entity can also be written where they are named; permissions of other plugins than the catalog are
{ name, action, resourceType }. Paths start at the test file. \`entra-access policy explain --help\` says more about all of them.

Exit code 0: all tests passed, 1: a test failed, 2: a mistake in a file, or the command was not understood.
`,
  options: { json: { type: 'boolean' } },
  async run({ positionals, values }, { out, complain }) {
    if (positionals.length === 0) throw new UsageError('no FILE is named');
    const now = Math.floor(Date.now() / 1000);
    const files: FileResult[] = [];
    for (const file of positionals) files.push(await runFile(file, now));
    const report = summed(files);
    if (values.json) out(`${JSON.stringify(report, null, 2)}\n`);
    else reportText(report, { out, complain });
    return report.mistakes > 0 ? 2 : report.failed > 0 ? 1 : 0;
  },
};

/** What became of a test */
export interface TestResult {
  name: string;
  ok: boolean;
  expected: Expectation;
  actual: { result: Expectation['expect']; rule: string | null; reasons: string[] };
}

/** What became of a file; with a mistake in it none of its tests counts */
export interface FileResult {
  file: string;
  tests: TestResult[];
  /** What in its catalog does not count */
  problems: readonly string[];
  mistake?: string;
}

export interface Report {
  passed: number;
  failed: number;
  /** Files with a mistake */
  mistakes: number;
  files: FileResult[];
}

const RESULTS = { ALLOW: 'allow', DENY: 'deny', CONDITIONAL: 'conditional' } as const;

async function runFile(file: string, now: number): Promise<FileResult> {
  let world: World | undefined;
  try {
    const { files, tests } = readTestFile(file, now);
    world = await World.open(
      files,
      tests.map(({ principal }) => principal),
      now,
    );
    const results: TestResult[] = [];
    for (const test of tests) results.push(await runTest(world, test, file));
    return { file, tests: results, problems: world.problems };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { file, tests: [], problems: [], mistake: error.message };
  } finally {
    world?.close();
  }
}

async function runTest(world: World, test: WrittenTest, file: string): Promise<TestResult> {
  const { name, permission, place, expected } = test;
  const entity = test.entity && (await findEntity(world, test.entity, file));
  const caller = world.signIn(test.principal);
  try {
    const { explanation } = decide(world, { caller, permission, entity, place: place.at('given') });
    return result(name, expected, explanation);
  } finally {
    world.core.release(caller.handle);
  }
}

function result(name: string, { expect, rule, reason }: Expectation, explanation: Study['explanation']): TestResult {
  const { reasons } = explanation;
  const actual = { result: RESULTS[explanation.result], rule: explanation.rule, reasons };
  const ok =
    actual.result === expect &&
    (rule === undefined || rule === actual.rule) &&
    (reason === undefined || reasons.some(text => text.includes(reason)));
  return { name, ok, expected: { expect, rule, reason }, actual };
}

function summed(files: FileResult[]): Report {
  const tests = files.flatMap(file => file.tests);
  const passed = tests.filter(({ ok }) => ok).length;
  const mistakes = files.filter(({ mistake }) => mistake !== undefined).length;
  return { passed, failed: tests.length - passed, mistakes, files };
}
