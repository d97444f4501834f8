// Counts tests out of what the test runners print; no I/O.
// A result is { passed, failed, note? }; `note` says in words why something counts as failed.
import { stripAnsi } from './progress.mjs';

const none = { passed: 0, failed: 0 };
const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed });

/** Sums the closing lines of cargo's and wasm-bindgen's test runners, which print the same one. */
export function fromCargo(output) {
  const lines = stripAnsi(output).matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm);
  return [...lines].map(([, passed, failed]) => ({ passed: Number(passed), failed: Number(failed) })).reduce(add, none);
}

// Node counts a file without tests as one passed test that is named like the file: a suite that lost its tests would
// look green.
const emptyFiles = output => [...stripAnsi(output).matchAll(/^ok \d+ - \S+\.test\.\w+$/gm)];

/** Reads the summary of Node's test runner, from its TAP (`# pass 3`) or its spec form (`ℹ pass 3`). */
export function fromNode(output) {
  const count = word => {
    // The last one: a test may itself print the output of a runner.
    const found = [...stripAnsi(output).matchAll(new RegExp(`^(?:#|ℹ) ${word} (\\d+)$`, 'gm'))].at(-1);
    return Number(found?.[1] ?? 0);
  };
  const empty = emptyFiles(output).length;
  return { passed: count('pass') - empty, failed: count('fail') + count('cancelled') + empty };
}

/**
 * The failed tests in the TAP of Node's runner, each with what it says of itself; nothing for other output.
 * A suite that failed only because a test in it did is left out.
 */
export function failuresIn(output) {
  const blocks = stripAnsi(output).matchAll(/^( *)not ok \d+ - .*(?:\n\1  ---\n[^]*?\n\1  \.\.\.$)?/gm);
  return [...blocks].map(([block]) => block).filter(block => !block.includes("failureType: 'subtestsFailed'"));
}

/** A check without tests of its own counts as one. */
export const fromExit = (_output, code) => (code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/**
 * What a suite came to, the exit code included: a runner that died or ran nothing must never look green.
 * @param {{ code: number, timedOut: boolean, output: string }} run
 */
export function judge(run, parse) {
  const counted = parse(run.output, run.code);
  if (run.timedOut) return { ...counted, failed: counted.failed + 1, note: 'out of time' };
  if (run.code !== 0 && counted.failed === 0) return { ...counted, failed: 1, note: `ended with exit code ${run.code}` };
  if (run.code === 0 && counted.failed > 0) return { ...counted, note: 'a failure or a test file without tests, yet the runner ended with exit code 0' };
  if (counted.passed + counted.failed === 0) return { passed: 0, failed: 1, note: 'ran no tests' };
  return counted;
}

export const total = results => results.reduce(add, none);

/** The closing line, which others read by machine. */
export const closingLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`;
