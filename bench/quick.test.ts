/** That the bench runs, answers rightly and reports in the form that others read; never how fast anything is. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { CONTROL_SUFFIX, type GroupResult } from './harness';

const ROOT = join(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const file = join(folder, 'report.json');

const EXPECTED_GROUPS = [
  'cold RS256, 5 groups',
  'cold RS256, 50 groups',
  'cold RS256, 200 groups',
  'cold ES256',
  'latency beside jose 5, one at a time, 50 groups',
  '64 in flight, 50 groups',
  'the same token again, 4 KB',
  'the same token again, 4 KB, 256 callers in turn',
  'load',
  'directory: all groups of a user',
  'directory: closure',
  'directory: ingest',
  'one policy decision, 100 rules, 10 permissions, user in 50 of 1,000 groups',
  'one policy decision, 10 rules, 10 permissions, user in 5 of 1,000 groups',
  'one policy decision, 1,000 rules, 10 permissions, user in 1,000 of 20,000 groups',
  ...['1', '20', '200', '1,000', '5,000'].flatMap(claims => [
    `condition authorizer, one entity, ${claims} claims`,
    `apply alone, ${claims} claims`,
  ]),
];

interface Report {
  machine: { cpu: string; cores: number; node: string; openssl: string; load: number[] };
  versions: Record<string, string>;
  groups: GroupResult[];
}

const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], { cwd: ROOT, timeout: 300_000 });

let output: string;
let report: Report;
before(async () => {
  ({ stdout: output } = await bench('--quick', '--json', file));
  report = JSON.parse(readFileSync(file, 'utf8'));
});
after(() => rmSync(folder, { recursive: true }));

test('machine and versions are told', () => {
  const { cpu, cores, node, openssl, load } = report.machine;
  assert.ok(cpu && openssl && cores >= 1);
  assert.equal(node, process.versions.node);
  assert.equal(load.length, 3);
  for (const name of [
    'entra-access',
    'casbin',
    '@casl/ability',
    '@cedar-policy/cedar-wasm',
    'fast-jwt',
    'jose',
    'jose6',
  ]) {
    assert.match(report.versions[name] ?? '', /^\d+\.\d+\.\d+/, name);
  }
  assert.match(report.versions.jose ?? '', /^5\./);
  assert.match(report.versions.jose6 ?? '', /^6\./);
});

test('every group that is promised is there, once', () => {
  const names = report.groups.map(({ name }) => name);
  for (const name of EXPECTED_GROUPS) assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
});

test('every group has its reference, a control and a row of ours', () => {
  for (const { name, reference, rows, notes = [] } of report.groups) {
    const names = rows.map(row => row.name);
    assert.ok(names.includes(reference), `${name}: ${reference}`);
    assert.ok(names.includes(`${reference}${CONTROL_SUFFIX}`), `${name}: control`);
    const ours = names.some(each => each.startsWith('entra-access'));
    // Only where our answer is a refusal is there nothing to time, and then the table says so.
    const excused = name === 'cold ES256' && notes.some(note => note.startsWith('entra-access: not measured'));
    assert.ok(ours || excused, `${name}: no row of ours`);
    assert.ok(output.includes(name), `${name}: not printed`);
  }
});

test('every row has positive numbers, and the reference a ratio of 1', () => {
  for (const { name, reference, rows } of report.groups) {
    for (const { name: row, us, q1, q3, ratio } of rows) {
      for (const number of [us, q1, q3, ratio]) assert.ok(Number.isFinite(number) && number > 0, `${name}: ${row}`);
      assert.ok(q1 <= us && us <= q3, `${name}: ${row}`);
    }
    assert.equal(rows.find(row => row.name === reference)?.ratio, 1, name);
  }
});

test('one group can be chosen, and a name that fits none says which there are', async () => {
  const { stdout } = await bench('--quick', '--only', 'RS256, 5 G');
  assert.match(stdout, /cold RS256, 5 groups/);
  assert.doesNotMatch(stdout, /50 groups/);
  await assert.rejects(
    bench('--quick', '--only', 'nothing'),
    /no group is named like "nothing"[^]*cold RS256, 5 groups/,
  );
});
