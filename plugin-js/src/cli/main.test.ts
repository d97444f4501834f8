import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from './main';

const ROOT = join(__dirname, '../../..');

let folder: string;
let good: string;
let bad: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-access-cli-'));
  good = join(folder, 'good.yaml');
  bad = join(folder, 'bad.yaml');
  writeFileSync(good, 'rules:\n  - { id: a, effect: allow, permissions: [x] }\n');
  writeFileSync(bad, 'rules:\n  - id: a\n    effect: permit\n    permissions: [x]\n');
});
after(() => rmSync(folder, { recursive: true, force: true }));

function said(...args: string[]): { code: number; out: string; complaints: string } {
  let [out, complaints] = ['', ''];
  const code = run(
    args,
    text => (out += text),
    text => (complaints += text),
  );
  return { code, out, complaints };
}

test('a good policy is 0, one with a mistake 1 with its line', () => {
  assert.deepEqual(said('policy', 'check', good), { code: 0, out: `${good}: 1 rules, no mistake\n`, complaints: '' });
  const { code, out, complaints } = said('policy', 'check', good, bad);
  assert.equal(code, 1);
  assert.match(out, /good\.yaml: 1 rules/);
  assert.match(complaints, /bad\.yaml\.rules\[0\]\.effect: unknown variant `permit`, .*\(line 3\)\n$/);
  assert.match(said('policy', 'check', join(folder, 'none.yaml')).complaints, /none\.yaml: could not be read: ENOENT/);
  assert.equal(said('policy', 'check', folder).code, 1);
});

test('the same as JSON', () => {
  const { code, out, complaints } = said('policy', 'check', '--json', good, bad);
  assert.deepEqual([code, complaints], [1, '']);
  const [first, second] = JSON.parse(out);
  assert.deepEqual(first, { ok: true, file: good, rules: ['a'] });
  assert.deepEqual([second.ok, second.file], [false, bad]);
});

test('what is not understood is 2 and shows how it is said', () => {
  for (const args of [
    [],
    ['policy'],
    ['policy', 'check'],
    ['policy', 'open', good],
    ['policy', 'check', good, '--allow'],
  ]) {
    const { code, complaints } = said(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(complaints, /usage: entra-access policy check FILE/);
  }
  assert.equal(said('--help').code, 0);
});

test('the published command is the built file, and loads nothing of Backstage but its errors', () => {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'plugin-js/package.json'), 'utf8'));
  const built = join(ROOT, 'plugin-js', bin['entra-access']);
  assert.ok(existsSync(built), `${built}: run node scripts/setup.mjs`);
  assert.match(readFileSync(built, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  const example = join(ROOT, 'entra-access-policy.example.yaml');
  assert.match(execFileSync(process.execPath, [built, 'policy', 'check', example], { encoding: 'utf8' }), /no mistake/);
  const list = `require(${JSON.stringify(built)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const loaded = JSON.parse(execFileSync(process.execPath, ['-e', list], { encoding: 'utf8' })) as string[];
  const packages = new Set(loaded.flatMap(path => /@backstage\/([^/]+)/.exec(path)?.[1] ?? []));
  assert.deepEqual(
    [...packages].filter(name => !['errors', 'types'].includes(name)),
    [],
  );
});
