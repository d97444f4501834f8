import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLine, failuresIn, fromCargo, fromExit, fromNode, judge, total } from './results.mjs';

const run = (output, code = 0, timedOut = false) => ({ output, code, timedOut });

test('cargo: sums the lines of all targets and leaves ignored and filtered tests out', () => {
  const output = [
    'running 3 tests',
    'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s',
    '     Running tests/laws.rs',
    '\u001b[31mtest result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\u001b[0m',
    'test result: ok. 0 passed; 0 failed; 0 ignored; 0 filtered out',
  ].join('\n');
  assert.deepEqual(fromCargo(output), { passed: 7, failed: 2 });
});

test('cargo: the same words inside a test’s own output do not count', () => {
  assert.deepEqual(fromCargo('note: test result: ok. 9 passed; 0 failed;'), { passed: 0, failed: 0 });
});

test('node: reads the summary in TAP and in spec form, cancelled tests are failures', () => {
  assert.deepEqual(fromNode('ok 1 - x\n# tests 7\n# pass 4\n# fail 1\n# cancelled 2\n'), { passed: 4, failed: 3 });
  assert.deepEqual(fromNode('ℹ tests 2\nℹ pass 2\nℹ fail 0\nℹ cancelled 0'), { passed: 2, failed: 0 });
});

test('node: of several summaries the last one counts', () => {
  assert.deepEqual(fromNode('# pass 90\n# fail 9\n# pass 1\n# fail 0\n'), { passed: 1, failed: 0 });
});

test('node: a file that ran no test is a failure', () => {
  const output = 'ok 1 - adds\nok 2 - /repo/plugin-js/e2e/empty.test.ts\n# tests 2\n# pass 2\n# fail 0\n# cancelled 0\n';
  assert.deepEqual(fromNode(output), { passed: 1, failed: 1 });
});

test('node: what failed is named with its reason, without the suites around it', () => {
  const output = [
    '# Subtest: suite',
    '    # Subtest: fine',
    '    ok 1 - fine',
    '      ---',
    '      duration_ms: 1',
    '      ...',
    '    not ok 2 - adds',
    '      ---',
    "      failureType: 'testCodeFailure'",
    '      error: |-',
    '        1 is not 2',
    '      ...',
    '    1..2',
    'not ok 1 - suite',
    '  ---',
    "  failureType: 'subtestsFailed'",
    '  ...',
    'not ok 2 - bare',
    '# fail 2',
  ].join('\n');
  const failures = failuresIn(output);
  assert.equal(failures.length, 2);
  assert.match(failures[0], /^ {4}not ok 2 - adds\n[^]*1 is not 2\n {6}\.\.\.$/);
  assert.equal(failures[1], 'not ok 2 - bare');
  assert.deepEqual(failuresIn('test result: FAILED. 4 passed; 2 failed;'), []);
});

test('a check without tests counts as one', () => {
  assert.deepEqual(judge(run('', 0), fromExit), { passed: 1, failed: 0 });
  assert.deepEqual(judge(run('error', 101), fromExit), { passed: 0, failed: 1 });
});

test('a runner that dies counts as one failure beside what it counted', () => {
  const crashed = judge(run('test result: ok. 3 passed; 0 failed;', 134), fromCargo);
  assert.deepEqual([crashed.passed, crashed.failed], [3, 1]);
  assert.match(crashed.note, /134/);
});

test('a runner that ran nothing, or ran out of time, is a failure', () => {
  assert.deepEqual(judge(run('no tests to run!'), fromCargo), { passed: 0, failed: 1, note: 'ran no tests' });
  assert.equal(judge(run('# pass 3\n# fail 0', 1, true), fromNode).failed, 1);
});

test('failures are never covered by exit code 0', () => {
  assert.equal(judge(run('# pass 3\n# fail 2', 0), fromNode).failed, 2);
});

test('the closing line is the sum', () => {
  assert.equal(closingLine(total([{ passed: 2, failed: 1 }, { passed: 3, failed: 0 }])), '5 passed, 1 failed');
  assert.equal(closingLine(total([])), '0 passed, 0 failed');
});
