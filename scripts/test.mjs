// `npm test [-- GROUP ...]`: every suite, or those of the named groups. The last line is the sum over all of them.
import { pathToFileURL } from 'node:url';
import { Failure, main, report } from './lib/failure.mjs';
import { closingLine, failuresIn, judge, total } from './lib/results.mjs';
import { capture, tail } from './lib/run.mjs';
import { GROUPS, SUITES } from './lib/suites.mjs';
import { setup } from './setup.mjs';

// Enough for every failure of one suite; the log has the rest.
const SHOWN_LINES = 300;
const NEEDS_BUILD = ['ts', 'e2e'];

async function runSuite(suite, env) {
  let plan;
  try {
    plan = suite.make();
  } catch (error) {
    return { passed: 0, failed: 1, note: error.message };
  }
  if (plan.files?.length === 0) return { passed: 0, failed: 1, note: 'ran no tests: there is no test file' };
  const run = await capture(suite.name, plan.command, plan.args, { env, timeoutMs: suite.timeoutMs });
  const result = judge(run, plan.parse);
  if (result.failed > 0) process.stdout.write(`\n${tail(whatFailed(run.output), SHOWN_LINES)}\nfull log: ${run.log}\n\n`);
  return result;
}

// The failure may be thousands of lines before the end, and who reads this may not have the log.
function whatFailed(output) {
  const failures = failuresIn(output);
  return failures.length === 0 ? output : failures.join('\n');
}

function choose(words) {
  const unknown = words.find(word => !GROUPS.includes(word));
  if (unknown) throw new Failure(`there is no test group "${unknown}"; there are: ${GROUPS.join(', ')}`);
  return SUITES.filter(suite => words.length === 0 || words.includes(suite.group));
}

export async function test(words) {
  const suites = choose(words);
  const needs = groups => suites.some(suite => groups.includes(suite.group));
  let env;
  try {
    env = await setup({ tools: needs(['wasm']), build: needs(NEEDS_BUILD), lints: needs(['lint']) });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A machine that cannot be set up is a failure like any other: the closing line must say so too.
    report(error);
    process.stdout.write(`${closingLine({ passed: 0, failed: 1 })}\n`);
    return 1;
  }
  const results = [];
  for (const suite of suites) {
    const result = await runSuite(suite, env);
    // Not in the form of the closing line, which must stay the only one of its kind.
    process.stdout.write(`  ${suite.name}: ${result.passed} ok, ${result.failed} not ok${result.note ? ` (${result.note})` : ''}\n`);
    results.push(result);
  }
  const sum = total(results);
  process.stdout.write(`\n${closingLine(sum)}\n`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(() => test(process.argv.slice(2)));
