import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, worstOf, type Check, type Finding } from './finding';
import { runChecks } from './runner';

const check = (id: string, make: Check['make']): Check => ({ id, about: id, make });
const LIMITS = { checkMs: 30_000, parallel: 2 };

test('in the order of the checks, and no more at once than said', async () => {
  let [running, most] = [0, 0];
  const checks = Array.from({ length: 6 }, (_, at) =>
    check(String(at), async () => {
      most = Math.max(most, (running += 1));
      // The later, the sooner it is done.
      for (let turn = at; turn < 10; turn += 1) await Promise.resolve();
      running -= 1;
      return ok('');
    }),
  );
  const findings = await runChecks(checks, LIMITS);
  assert.deepEqual(
    findings.map(({ check: id }) => id),
    ['0', '1', '2', '3', '4', '5'],
  );
  assert.equal(most, 2);
});

test('a check that throws, or never ends, could not be made; the others are', async () => {
  const findings = await runChecks(
    [
      check('throws', () => {
        throw new TypeError('with a secret in it');
      }),
      check('never', () => new Promise(() => {})),
      check('fine', () => ok('fine')),
    ],
    { checkMs: 1, parallel: 1 },
  );
  assert.deepEqual(
    findings.map(({ outcome, what }) => [outcome, what]),
    [
      ['warning', 'the check could not be made: TypeError'],
      ['warning', 'the check could not be made: no answer within 0.001 s'],
      ['ok', 'fine'],
    ],
  );
});

test('no text makes a line of its own, is coloured, or is without end', async () => {
  const [finding] = await runChecks([check('a', () => ok(`\u001b[31ma\nb\u202e${'x'.repeat(1000)}`))], LIMITS);
  assert.doesNotMatch(finding!.what, /[\p{Cc}\p{Cf}]/u);
  assert.ok(finding!.what.length < 600);
});

test('the worst of them, where nothing known is worse than good news', () => {
  const of = (...outcomes: Array<Finding['outcome']>) =>
    worstOf(outcomes.map(outcome => ({ check: '', about: '', outcome, what: '' })));
  assert.equal(of('ok', 'ok'), 'ok');
  assert.equal(of('ok', 'skipped'), 'skipped');
  assert.equal(of('skipped', 'warning', 'ok'), 'warning');
  assert.equal(of('warning', 'error', 'skipped'), 'error');
});
