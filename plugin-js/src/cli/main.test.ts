import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Folder, said } from '../../e2e/support/cli';

const ROOT = join(__dirname, '../../..');

const folder = new Folder();
const good = folder.write('good.yaml', 'rules:\n  - { id: a, effect: allow, permissions: [x] }\n');
const bad = folder.write('bad.yaml', 'rules:\n  - id: a\n    effect: permit\n    permissions: [x]\n');
after(() => folder.remove());

test('a good policy is 0, one with a mistake 1 with its line', async () => {
  assert.deepEqual(await said('policy', 'check', good), {
    code: 0,
    out: `${good}: 1 rules, no mistake\n`,
    complaints: '',
  });
  const { code, out, complaints } = await said('policy', 'check', good, bad);
  assert.equal(code, 1);
  assert.match(out, /good\.yaml: 1 rules/);
  assert.match(complaints, /bad\.yaml\.rules\[0\]\.effect: unknown variant `permit`, .*\(line 3\)\n$/);
  const missing = join(folder.path, 'none.yaml');
  assert.match((await said('policy', 'check', missing)).complaints, /none\.yaml: could not be read: ENOENT/);
  assert.match((await said('policy', 'check', folder.path)).complaints, /could not be read: not a file/);
});

test('the same as JSON', async () => {
  const { code, out, complaints } = await said('policy', 'check', '--json', good, bad);
  assert.deepEqual([code, complaints], [1, '']);
  const [first, second] = JSON.parse(out);
  assert.deepEqual(first, { ok: true, file: good, rules: ['a'] });
  assert.deepEqual([second.ok, second.file], [false, bad]);
});

test('what is no command is 2 and shows which there are', async () => {
  for (const args of [[], ['policy'], ['policy', 'open', good], ['check', 'policy', good], ['--allow']]) {
    const { code, out, complaints } = await said(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(complaints, /^usage: entra-access COMMAND\n[^]*policy check[^]*policy explain[^]*policy test/);
  }
  const { code, out } = await said('--help');
  assert.equal(code, 0);
  assert.match(out, /^usage: entra-access COMMAND/);
});

test('each command tells its usage: asked for as a result, otherwise as a complaint with what is wrong', async () => {
  for (const verb of ['check', 'explain', 'test']) {
    const usage = new RegExp(`^usage: entra-access policy ${verb} FILE`);
    for (const args of [
      ['policy', verb, '--help'],
      ['policy', verb, '-h', good],
      ['-h', 'policy', verb],
    ]) {
      const { code, out, complaints } = await said(...args);
      assert.deepEqual([code, complaints], [0, ''], args.join(' '));
      assert.match(out, usage);
      assert.match(out, /\nExit code 0: /);
    }
    for (const [args, says] of [
      [[], /^no FILE is named\n\nusage: /],
      [[good, '--allow'], /^Unknown option '--allow'\n\nusage: /],
      [['--json=yes', good], /^Option '--json' does not take an argument\n\nusage: /],
    ] as const) {
      const { code, out, complaints } = await said('policy', verb, ...args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(complaints, says);
    }
  }
});

test('the published command is the built file, and loads nothing of Backstage but its errors', () => {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'plugin-js/package.json'), 'utf8'));
  const built = join(ROOT, 'plugin-js', bin['entra-access']);
  assert.ok(existsSync(built), `${built}: run node scripts/setup.mjs`);
  assert.match(readFileSync(built, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  const example = join(ROOT, 'entra-access-policy.example.yaml');
  assert.match(execFileSync(process.execPath, [built, 'policy', 'check', example], { encoding: 'utf8' }), /no mistake/);
  const list = `require(${JSON.stringify(built)}).run(['policy', 'check', ${JSON.stringify(example)}], {
    out() {}, complain() {} }).then(() => console.log(JSON.stringify(Object.keys(require.cache))))`;
  const loaded = JSON.parse(execFileSync(process.execPath, ['-e', list], { encoding: 'utf8' })) as string[];
  const packages = new Set(loaded.flatMap(path => /@backstage\/([^/]+)/.exec(path)?.[1] ?? []));
  assert.deepEqual(
    [...packages].filter(name => !['errors', 'types'].includes(name)),
    [],
  );
});
