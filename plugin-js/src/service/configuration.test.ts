import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigReader } from '@backstage/config';
import { RecordingLogger } from '../../e2e/support/logger';
import { ConfigurationError } from '../core';
import { readConfiguration } from './configuration';
import { EntraAccess } from './entraAccess';

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

test('without --config a relative path starts at the first folder upwards that holds app-config.yaml', () => {
  // The real path: the working folder has it, the system's temporary folder may be a link.
  const repository = realpathSync(mkdtempSync(join(folder, 'monorepo-')));
  const backend = join(repository, 'packages', 'backend');
  mkdirSync(backend, { recursive: true });
  writeFileSync(join(folder, 'app-config.yaml'), '');
  writeFileSync(join(folder, 'too-high.yaml'), 'rules: []');
  writeFileSync(join(repository, 'app-config.yaml'), '');
  writeFileSync(join(repository, 'policy.yaml'), 'rules: []');
  const start = process.cwd();
  process.chdir(backend);
  try {
    const policy = (name: string) => ({ policy: { file: `./${name}` } });
    assert.equal(read(policy('policy.yaml'), ['node', 'backend']).policy.place, join(repository, 'policy.yaml'));
    const { message } = refused(policy('too-high.yaml'), ['node', 'backend']);
    assert.ok(message.endsWith(`(looked in ${backend}, ${repository})`), message);
    writeFileSync(join(backend, 'policy.yaml'), 'rules: []');
    assert.equal(read(policy('policy.yaml'), ['node', 'backend']).policy.place, join(backend, 'policy.yaml'));
  } finally {
    process.chdir(start);
  }
});

for (const [name, section, path, message] of [
  ['no section', undefined, 'entraAccess', /the section is missing \(see app-config\.example\.yaml/],
  ['an empty section', null, 'entraAccess', /the section is missing/],
  ['a section that is a text', 'x', 'entraAccess', /must be a mapping \(see app-config\.example\.yaml/],
  ['a section that is a list', [{ policy: {} }], 'entraAccess', /must be a mapping/],
  ['a section that is a number', 7, 'entraAccess', /must be a mapping/],
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

/** As at the start of the backend: read, then built */
function startWith(change: (section: any) => void): EntraAccess {
  const section = {
    tenants: [{ tenantId: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03', cloud: 'lab', audiences: ['api://backstage'] }],
    clouds: { lab: { authority: 'http://127.0.0.1:7100' } },
    groups: { mapping: [{ group: 'a4c1d7e2-6b3f-4f58-92d0-1e7a5c8b3f60', owner: 'group:default/payments' }] },
    policy: { rules: [{ id: 'a', effect: 'allow', permissions: ['*'] }] },
  };
  change(section);
  return new EntraAccess(read(section), new RecordingLogger());
}

test('the configuration that the mistakes below are made in is good', () => {
  const entraAccess = startWith(() => undefined);
  assert.equal(entraAccess.core.issuers.length, 2);
  entraAccess.close();
});

for (const [change, message] of [
  [s => (s.audits = {}), 'entraAccess.audits: unknown field `audits`, expected one of'],
  [s => delete s.tenants, 'entraAccess: missing field `tenants` (name at least one tenant; there is no wildcard)'],
  [s => (s.tenants = []), 'entraAccess.tenants: the list is empty (name at least one tenant'],
  [s => (s.tenants = '*'), 'entraAccess.tenants: invalid type: string "*", expected a sequence'],
  [s => (s.tenants[0].tenantID = 'x'), 'entraAccess.tenants[0].tenantID: unknown field `tenantID`'],
  [
    s => (s.tenants[0].tenantId = 'contoso.example'),
    'entraAccess.tenants[0].tenantId: `contoso.example` is not a GUID',
  ],
  [s => (s.tenants[0].tenantId = '*'), 'entraAccess.tenants[0].tenantId: `*` is not a GUID'],
  [s => s.tenants.push(s.tenants[0]), 'entraAccess.tenants[1].tenantId: tenant 3f8a1c52'],
  [
    s => (s.tenants[0].cloud = 'mars'),
    'entraAccess.tenants[0].cloud: there is no cloud `mars` (one of: china, global, lab',
  ],
  [
    s => delete s.tenants[0].audiences,
    'entraAccess.tenants[0]: missing field `audiences` (name the client id of the app registration',
  ],
  [s => (s.tenants[0].audiences = []), 'entraAccess.tenants[0].audiences: the list is empty (name the client id'],
  [s => (s.tenants[0].audiences = 'api://x'), 'entraAccess.tenants[0].audiences: invalid type: string "api://x"'],
  [s => (s.tenants[0].audiences = ['api://*']), 'entraAccess.tenants[0].audiences[0]: audiences are compared exactly'],
  [
    s => (s.tenants[0].audiences = ['https://graph.microsoft.com']),
    'entraAccess.tenants[0].audiences[0]: this audience is',
  ],
  [s => (s.tenants[0].clients = ['my-app']), 'entraAccess.tenants[0].clients[0]: `my-app` is not a GUID'],
  [
    s => (s.tenants[0].leeway = 900),
    'entraAccess.tenants[0].leeway: 900 seconds of leeway are more than any clock needs',
  ],
  [s => (s.tenants[0].maxLifetime = '1h'), 'entraAccess.tenants[0].maxLifetime: invalid type: string "1h"'],
  [s => (s.clouds.lab.authority = 'http://login.example'), 'entraAccess.clouds.lab.authority: plain http is accepted'],
  [s => (s.clouds.lab.authority = 'login.example'), 'entraAccess.clouds.lab.authority: this is no base URL'],
  [s => (s.clouds.lab.autority = 'x'), 'entraAccess.clouds.lab.autority: unknown field `autority`'],
  [s => (s.clouds.global = s.clouds.lab), 'entraAccess.clouds.global: this name is built in'],
  [s => (s.groups.sourc = 'token'), 'entraAccess.groups.sourc: unknown field `sourc`, expected one of `source`'],
  [s => (s.groups.source = 'ldap'), 'entraAccess.groups.source: unknown variant `ldap`'],
  [s => (s.groups.overage = true), 'entraAccess.groups.overage: '],
  [s => (s.groups.mapping[0].group = 'payments'), 'entraAccess.groups.mapping[0].group: `payments` is not a GUID'],
  [s => (s.groups.mapping[0].owner = 'payments'), 'entraAccess.groups.mapping[0].owner: '],
  [s => (s.policy.rules[0].efect = 'allow'), 'entraAccess.policy.rules[0].efect: unknown field `efect`'],
  [s => (s.policy.rules[0].effect = 'permit'), 'entraAccess.policy.rules[0].effect: unknown variant `permit`'],
  [s => s.policy.rules.push(s.policy.rules[0]), 'entraAccess.policy.rules[1].id: another rule has the id `a`'],
  [
    s => (s.policy.rules[0].principals = [{ group: 'x' }]),
    'entraAccess.policy.rules[0].principals[0].group: `x` is not a',
  ],
  [s => (s.policy = { file: file('nothing.yaml', '') }), 'nothing.yaml: invalid type: null'],
] as Array<[(section: any) => void, string]>) {
  test(`not started: ${message}`, () => {
    assert.throws(
      () => startWith(change),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError, String(error));
        assert.ok(error.message.includes(message), error.message);
        assert.ok(error.message.startsWith(`${error.path}: `) && !error.message.includes('\n'), error.message);
        return true;
      },
    );
  });
}
