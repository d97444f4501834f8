// The suites of `npm test`, in order: cheap and telling ones first.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './hash.mjs';
import { WASM_TARGET } from './machine.mjs';
import { ROOT, TSC } from './paths.mjs';
import { fromCargo, fromExit, fromNode } from './results.mjs';

const MINUTE = 60_000;
const WASM_FEATURES = ['--no-default-features', '--features', 'wasm'];

const testFiles = (...folders) => filesBelow(ROOT, folders, file => /\.test\.(ts|mjs)$/.test(file) && !file.includes('node_modules'));

// TAP has a summary that is meant for machines; tsx compiles on the fly, so that tests run on sources.
const node = (files, ...flags) => ({
  command: process.execPath,
  args: [...flags, '--test', '--test-reporter=tap', ...files],
  files,
  parse: fromNode,
});

const cargo = (...args) => ({ command: 'cargo', args, parse: fromExit });

/** Integration tests whose name starts with "wasm" run in WebAssembly, all others natively. */
function wasmTests() {
  const names = readdirSync(join(ROOT, 'tests')).filter(name => /^wasm.*\.rs$/.test(name)).map(name => name.slice(0, -3));
  return {
    command: 'wasm-pack',
    // After a path, everything goes to cargo as it is; a `--` would hand it on to the tests.
    args: ['test', '--node', '--mode', 'no-install', ROOT, '--features', 'wasm', ...names.flatMap(name => ['--test', name])],
    files: names,
    parse: fromCargo,
  };
}

/**
 * `group` is the word after `npm test --`. `files: []` means that there is nothing to run, which is a failure.
 * `make` is called late, so that one suite's absence does not keep the others from running.
 */
export const SUITES = [
  { group: 'scripts', name: 'build scripts', minutes: 5, make: () => node(testFiles('scripts')) },
  { group: 'lint', name: 'rust format', minutes: 2, make: () => cargo('fmt', '--check') },
  { group: 'lint', name: 'rust lints', minutes: 20, make: () => cargo('clippy', '--all-targets', '--', '-D', 'warnings') },
  {
    group: 'lint',
    name: 'rust lints for WebAssembly',
    minutes: 20,
    make: () => cargo('clippy', '--lib', '--target', WASM_TARGET, ...WASM_FEATURES, '--', '-D', 'warnings'),
  },
  { group: 'rust', name: 'rust tests', minutes: 30, make: () => ({ ...cargo('test', '--no-fail-fast'), parse: fromCargo }) },
  { group: 'wasm', name: 'rust tests in WebAssembly', minutes: 30, make: wasmTests },
  {
    group: 'ts',
    name: 'typescript types',
    minutes: 10,
    make: () => ({ command: process.execPath, args: [TSC, '-p', 'plugin-js/tsconfig.check.json'], parse: fromExit }),
  },
  { group: 'ts', name: 'typescript tests', minutes: 10, make: () => node(testFiles('plugin-js/src', 'plugin-js/dev'), '--import', 'tsx') },
  {
    group: 'ts',
    name: 'bench types',
    minutes: 10,
    make: () => ({ command: process.execPath, args: [TSC, '-p', 'bench'], parse: fromExit }),
  },
  // Function only: times of a busy machine mean nothing, so none is judged.
  { group: 'ts', name: 'bench', minutes: 10, make: () => node(testFiles('bench'), '--import', 'tsx') },
  {
    group: 'e2e',
    name: 'end-to-end tests',
    minutes: 20,
    // Node leaves one processor free; backends wait a lot, so on a small machine two files at once take two thirds of the time.
    make: () => node(testFiles('plugin-js/e2e'), '--import', 'tsx', '--test-concurrency=2'),
  },
].map(suite => ({ ...suite, timeoutMs: suite.minutes * MINUTE }));

export const GROUPS = [...new Set(SUITES.map(suite => suite.group))];
