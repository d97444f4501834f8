import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { ConfigurationError, EntraCore } from '../core';
import { PolicyFile, setPolicy } from './policyFile';
import { parsePolicy } from './policyText';

const rule = (id: string, effect = 'allow') => `  - { id: ${id}, effect: ${effect}, permissions: ['${id}.read'] }\n`;
const policyOf = (...ids: string[]) => `rules:\n${ids.map(id => rule(id)).join('')}`;

let folder: string;
let file: string;
let core: EntraCore;
let logger: RecordingLogger;
let policy: PolicyFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-policy-'));
  file = join(folder, 'policy.yaml');
  logger = new RecordingLogger();
  const configuration = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  core = new EntraCore({ configuration, logger });
  follow(policyOf('first'));
});
afterEach(() => {
  policy.close();
  core.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As at the start: the file has this text, and it is in force */
function follow(text: string): void {
  writeFileSync(file, text);
  setPolicy(core, parsePolicy(text, file));
  policy = new PolicyFile({ file, text, core, logger });
}

async function looks(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await policy.look();
}

test('a good new policy takes effect in a new epoch, and is told to who listens', async () => {
  const heard: string[] = [];
  policy.onLoad(() => heard.push(policy.policy?.json ?? ''));
  const { epoch } = core;
  await looks(3);
  assert.equal(core.epoch, epoch, 'nothing has changed');
  writeFileSync(file, policyOf('first', 'second'));
  await looks(3);
  assert.deepEqual(core.ruleIds, ['first', 'second']);
  assert.equal(core.epoch, epoch + 1);
  assert.deepEqual(
    heard.map(json => JSON.parse(json).rules.length),
    [2],
  );
  assert.equal(policy.state.error, undefined);
  assert.deepEqual(logger.complaints, []);
});

test('a policy found while the core is being restarted takes effect afterwards', async () => {
  let away = false;
  // Trapped by somebody else's request while the file is being read.
  const restarting = new Proxy(core, {
    get(target, name: keyof EntraCore) {
      if (away && name === 'available') return false;
      if (away && name === 'setPolicy') return () => assert.fail('nobody is there');
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  policy = new PolicyFile({ file, text: policyOf('first'), core: restarting, logger });
  writeFileSync(file, policyOf('second'));
  await looks(1);
  const looking = policy.look();
  away = true;
  await looking;
  away = false;
  assert.deepEqual(core.ruleIds, ['first']);
  await looks(2);
  assert.deepEqual(core.ruleIds, ['second']);
  assert.deepEqual(logger.complaints, []);
});

test('half a file is not taken for a policy: what is found must be found twice', async () => {
  const whole = policyOf('first', 'second') + rule('third', 'deny');
  writeFileSync(file, whole.slice(0, policyOf('first', 'second').length));
  await policy.look();
  writeFileSync(file, whole);
  await policy.look();
  assert.deepEqual(core.ruleIds, ['first']);
  await policy.look();
  assert.deepEqual(core.ruleIds, ['first', 'second', 'third']);
});

for (const [name, text, reason] of [
  ['no YAML', 'rules: [', /policy\.yaml: /],
  ['nothing', '', /policy\.yaml: invalid type: null/],
  ['another thing', 'hello', /policy\.yaml: invalid type: string "hello"/],
  [
    'a mistake',
    `${policyOf('first')}  - { id: second, efect: allow, permissions: [a] }\n`,
    /policy\.yaml\.rules\[1\]\.efect: unknown .*\(line 3\)$/,
  ],
  [
    'a rule that can never act',
    `${policyOf('first')}${rule('wall', 'deny').replace('wall.read', '*')}`,
    /policy\.yaml\.rules\[0\]: .* can never allow.*\(line 2; /,
  ],
] as const) {
  test(`a file with ${name} leaves the old policy in force and says why, once`, async () => {
    const { epoch } = core;
    writeFileSync(file, text);
    await looks(6);
    assert.deepEqual(core.ruleIds, ['first']);
    assert.equal(core.epoch, epoch);
    assert.match(policy.state.error ?? '', reason);
    assert.equal(logger.complaints.length, 1, logger.complaints.join('\n'));
    assert.match(logger.complaints[0]!, /^error: the policy stays as it was: /);
    writeFileSync(file, policyOf('mended'));
    await looks(2);
    assert.deepEqual(core.ruleIds, ['mended']);
    assert.equal(policy.state.error, undefined);
  });
}

test('a deleted file leaves the old policy in force; the same file again is as before', async () => {
  unlinkSync(file);
  await looks(4);
  assert.deepEqual(core.ruleIds, ['first']);
  assert.match(policy.state.error ?? '', /could not be read: ENOENT/);
  assert.equal(logger.complaints.length, 1);
  writeFileSync(file, policyOf('first'));
  await policy.look();
  assert.equal(policy.state.error, undefined);
  unlinkSync(file);
  await policy.look();
  writeFileSync(file, policyOf('other'));
  await looks(2);
  assert.deepEqual(core.ruleIds, ['other']);
});

test('a folder and a file beyond all measure are no policy', async () => {
  unlinkSync(file);
  mkdirSync(file);
  await looks(2);
  assert.match(policy.state.error ?? '', /could not be read: (not a file|EISDIR)/);
  rmSync(file, { recursive: true });
  writeFileSync(file, `#${'x'.repeat(9 * 1024 * 1024)}\n${policyOf('big')}`);
  await looks(2);
  assert.match(policy.state.error ?? '', /larger than 8388608 bytes/);
  assert.deepEqual(core.ruleIds, ['first']);
});

test('a policy behind links is followed as Kubernetes swaps them', async () => {
  policy.close();
  const version = (name: string, text: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'policy.yaml'), text);
  };
  version('..1', policyOf('first'));
  unlinkSync(file);
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync(join('..data', 'policy.yaml'), file);
  policy = new PolicyFile({ file, text: policyOf('first'), core, logger });
  await looks(2);
  version('..2', policyOf('second'));
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  rmSync(join(folder, '..1'), { recursive: true });
  await looks(2);
  assert.deepEqual(core.ruleIds, ['second']);
  unlinkSync(join(folder, '..data'));
  await looks(2);
  assert.match(policy.state.error ?? '', /ENOENT/);
  assert.deepEqual(core.ruleIds, ['second']);
});

test('once started it looks by itself', async () => {
  policy.start();
  writeFileSync(file, policyOf('by-itself'));
  const deadline = Date.now() + 20_000;
  while (core.ruleIds[0] !== 'by-itself' && Date.now() < deadline) await new Promise(done => setTimeout(done, 50));
  assert.deepEqual(core.ruleIds, ['by-itself']);
});

for (const [name, text, path, line] of [
  [
    'in a list',
    'rules:\n- id: a\n  effect: allow\n  permissions: [a]\n- id: b\n  effect: permit\n  permissions: [a]\n',
    '.rules[1].effect',
    6,
  ],
  ['of a name', 'rules:\n- id: a\n  effect: allow\n  permissions: [a]\n  wen: {}\n', '.rules[0].wen', 5],
  [
    'deep inside',
    'rules:\n- id: a\n  effect: allow\n  permissions: [a]\n  when:\n    anyOf:\n    - owned: true\n    - not:\n        rule: 7\n',
    '.rules[0].when.anyOf[1].not.rule',
    9,
  ],
  ['of what is missing', '# why\nrules:\n- id: a\n  effect: allow\n', '.rules[0]', 3],
  ['behind an alias', 'rules:\n- &a\n  id: a\n  effect: permit\n  permissions: [a]\n- *a\n', '.rules[0].effect', 4],
  ['in JSON', '{"rules":\n[{"id": "a",\n"effect": "permit", "permissions": ["a"]}]}', '.rules[0].effect', 3],
  ['of the whole', 'rule: []\n', '.rule', 1],
] as const) {
  test(`the line of a mistake ${name} is named`, () => {
    assert.throws(
      () => setPolicy(core, parsePolicy(text, file)),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError, String(error));
        assert.equal(error.path, `${file}${path}`);
        assert.ok(error.message.startsWith(`${error.path}: `), error.message);
        assert.match(error.message, new RegExp(`\\(line ${line}(; |\\)$)`));
        return true;
      },
    );
  });
}
