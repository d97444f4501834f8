import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigReader } from '@backstage/config';
import { ConfigurationError } from '../core';
import { readConfiguration } from './configuration';

let folder: string;
let argv: string[];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-test-'));
  argv = ['node', 'backend', '--config', join(folder, 'app-config.yaml')];
});
after(() => rmSync(folder, { recursive: true, force: true }));

function read(section: unknown, args = argv) {
  return readConfiguration(new ConfigReader({ entraAccess: section } as never), args);
}

function refused(section: unknown, args = argv): ConfigurationError {
  try {
    read(section, args);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error;
  }
  return assert.fail('it was accepted');
}

function file(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return name;
}

test('the section is handed on as it is, inline rules beside it', () => {
  const section = { tenants: [{ tenantId: 'x', unknown: [1, null, true] }], policy: { rules: [{ id: 'a' }] } };
  const { json, policy } = read(section);
  assert.deepEqual(JSON.parse(json).tenants, section.tenants);
  assert.deepEqual(JSON.parse(policy.json), { rules: [{ id: 'a' }] });
  assert.equal(policy.place, 'entraAccess.policy');
});

test('a policy file is read as YAML, and JSON is YAML', () => {
  const text = 'rules:\n  - { id: a, effect: allow } # why\n';
  const { policy } = read({ policy: { file: file('policy.yaml', text) } });
  assert.deepEqual(JSON.parse(policy.json), { rules: [{ id: 'a', effect: 'allow' }] });
  assert.equal(policy.place, join(folder, 'policy.yaml'), 'errors name the file');
  assert.equal(JSON.parse(read({ policy: { file: file('policy.json', '{"rules":[]}') } }).policy.json).rules.length, 0);
});

test('a relative path starts at the file that --config names, wherever the process is', () => {
  mkdirSync(join(folder, 'other'), { recursive: true });
  file('relative.yaml', 'rules: []');
  writeFileSync(join(folder, 'other', 'only-there.yaml'), 'rules: [1]');
  const other = join(folder, 'other', 'app-config.yaml');
  for (const args of [argv, ['--config', other, ...argv], ['x', `--config=${join(folder, 'app-config.yaml')}`]]) {
    assert.equal(read({ policy: { file: './relative.yaml' } }, args).policy.place, join(folder, 'relative.yaml'));
  }
  const two = [...argv, '--config', other];
  assert.equal(
    read({ policy: { file: 'only-there.yaml' } }, two).policy.place,
    join(folder, 'other', 'only-there.yaml'),
  );
  const absolute = join(folder, 'relative.yaml');
  assert.equal(read({ policy: { file: absolute } }, []).policy.place, absolute);
});

for (const [name, section, path, message] of [
  ['no section', undefined, 'entraAccess', /the section is missing \(see app-config\.example\.yaml/],
  ['an empty section', null, 'entraAccess', /the section is missing/],
  [
    'no policy',
    { tenants: [] },
    'entraAccess.policy',
    /the policy is missing \(name a `file`, or write `rules` inline/,
  ],
  ['an empty policy', { policy: {} }, 'entraAccess.policy', /either `file: <path>` or `rules: \[\.\.\.\]`/],
  ['file and rules', { policy: { file: 'x.yaml', rules: [] } }, 'entraAccess.policy', /and nothing else/],
  ['another key', { policy: { rules: [], mode: 1 } }, 'entraAccess.policy', /and nothing else/],
  ['rules that are no list', { policy: { rules: {} } }, 'entraAccess.policy', /either/],
  ['a file that is no text', { policy: { file: 7 } }, 'entraAccess.policy', /either/],
  ['a file without a name', { policy: { file: '' } }, 'entraAccess.policy', /either/],
  ['a policy that is a text', { policy: './policy.yaml' }, 'entraAccess.policy', /either/],
] as const) {
  test(`${name} is a mistake with its place`, () => {
    const error = refused(section);
    assert.equal(error.path, path);
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(`${path}: `));
  });
}

test('a missing file is named with the places where it was looked for', () => {
  const error = refused({ policy: { file: 'nowhere.yaml' } });
  assert.equal(error.path, 'entraAccess.policy.file');
  assert.match(error.message, /there is no file nowhere\.yaml/);
  assert.ok(error.message.includes(`looked in ${folder}, ${process.cwd()}`), error.message);
});

for (const [name, text, message] of [
  ['a syntax error', 'rules:\n  - {id: a\n  - b', /line \d/],
  ['a key that is there twice', 'rules: []\nrules: []\n', /unique/i],
  ['a key that is there twice further down', 'rules:\n  - id: a\n    id: b\n', /unique/i],
  ['two documents', 'rules: []\n---\nrules: []\n', /multiple documents/i],
  ['a tab as indentation', 'rules:\n\t- id: a\n', /tab/i],
  ['an alias to nothing', 'rules: *nothing\n', /nothing/],
  [
    'aliases that unfold without end',
    `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefgh'].map((c, at) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[at]}`)}]`).join('\n')}\n`,
    /alias/i,
  ],
] as const) {
  test(`a policy file with ${name} is a mistake in that file`, () => {
    const error = refused({ policy: { file: file('broken.yaml', text) } });
    assert.equal(error.path, join(folder, 'broken.yaml'));
    assert.match(error.message, message);
    assert.ok(!error.message.includes('\n'));
  });
}

test('an empty policy file is handed on as nothing, for the core to refuse', () => {
  assert.equal(read({ policy: { file: file('empty.yaml', '# nothing\n') } }).policy.json, 'null');
});

test('a folder is no policy file', () => {
  const error = refused({ policy: { file: folder } });
  assert.equal(error.path, 'entraAccess.policy.file');
  assert.match(error.message, /could not be read/);
});
