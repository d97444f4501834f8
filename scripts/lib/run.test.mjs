// The rules about child processes and about what a user sees, on real processes.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findAll, missingComponents } from './machine.mjs';
import { ROOT } from './paths.mjs';
import { elapsed, lastLine } from './progress.mjs';
import { capture } from './run.mjs';

const module = name => JSON.stringify(pathToFileURL(join(ROOT, 'scripts', 'lib', name)).href);
const script = body => ['--input-type=module', '-e', body];

test('a time-out ends the whole process group', async () => {
  const started = Date.now();
  const done = await capture('test of a time-out', 'sh', ['-c', 'sleep 60 & sleep 60'], { timeoutMs: 200 });
  assert.ok(done.timedOut);
  assert.ok(Date.now() - started < 10_000);
});

test('a command that does not exist is a result, not an exception', async () => {
  const done = await capture('test of a missing command', 'no-such-command-here', []);
  assert.equal(done.code, 127);
});

test('a failed step prints the end of its output, the log and one sentence, and no stack', () => {
  const body = `
    import { main } from ${module('failure.mjs')};
    import { step } from ${module('run.mjs')};
    await main(() => step('test of a failed step', 'sh', ['-c', 'echo the reason; exit 3'], { hint: 'do this' }));`;
  const done = spawnSync(process.execPath, script(body), { encoding: 'utf8' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /the reason\n[\s\S]*full log: .*test-of-a-failed-step\.log\n[\s\S]*the step "test of a failed step" failed: do this\n/);
  assert.doesNotMatch(done.stderr, /\n\s+at /);
});

test('an interrupt ends the children and runs what was to be undone', async () => {
  const body = `
    import { capture, onInterrupt } from ${module('run.mjs')};
    onInterrupt(() => process.stdout.write('undone'));
    capture('test of an interrupt', 'sh', ['-c', 'echo child $$; sleep 60']);
    setTimeout(() => process.kill(process.pid, 'SIGINT'), 500);`;
  const child = spawn(process.execPath, script(body), { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  const [code] = await once(child, 'close');
  assert.equal(code, 130);
  assert.match(output, /undone/);
});

test('tools are looked for on a PATH in its order, and only executable ones count', t => {
  const dir = mkdtempSync(join(tmpdir(), 'scripts-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'tool'), '');
  assert.deepEqual(findAll('tool', `/nowhere:${dir}`), []);
  chmodSync(join(dir, 'tool'), 0o755);
  assert.deepEqual(findAll('tool', `/nowhere:${dir}`), [join(dir, 'tool')]);
});

test('progress shows the last line that says something', () => {
  assert.equal(lastLine('   Compiling serde\n\u001b[32m   Compiling rsa v0.9\u001b[0m\r\n\n'), 'Compiling rsa v0.9');
  assert.equal(lastLine('\n'), '');
  assert.equal(elapsed(0, 59_000), '59 s');
  assert.equal(elapsed(0, 245_000), '4 min 5 s');
});

test('the components that the lint suites lack are named by their cargo command', () => {
  assert.deepEqual(missingComponents(() => true), []);
  assert.deepEqual(missingComponents(command => command !== 'fmt'), ['rustfmt']);
  assert.deepEqual(missingComponents(() => false), ['clippy', 'rustfmt']);
});
