// What the machine must bring: Node, npm and rustup. Each lack is one sentence with the command that ends it.
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from './failure.mjs';
import { CARGO_BIN, NODE_BIN, ROOT } from './paths.mjs';
import { ask, step } from './run.mjs';
import { atLeast, channelOf, rustVersionOf } from './versions.mjs';

export const WASM_TARGET = 'wasm32-unknown-unknown';
const GET_RUSTUP = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";
const GET_CC = '`sudo apt-get install build-essential` (Debian, Ubuntu) or `xcode-select --install` (macOS)';
const GET_NODE = 'install it with `nvm install 22` or from https://nodejs.org';

/** Every executable of this name in the folders of a PATH, in order. */
export function findAll(name, path) {
  return path.split(delimiter).filter(Boolean).map(dir => join(dir, name)).filter(file => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The environment of every step: cargo's own folder last, as a fresh rustup may not be on PATH in this shell yet. */
export function baseEnv(firstDirs = []) {
  return {
    ...process.env,
    PATH: [...firstDirs, NODE_BIN, process.env.PATH ?? '', CARGO_BIN].join(delimiter),
    CARGO_TERM_COLOR: 'never',
    // Left on, any cargo call in a folder whose rust-toolchain.toml names a missing target upgrades the user's whole
    // toolchain first. What is missing is added below, one thing at a time and said aloud.
    RUSTUP_AUTO_INSTALL: '0',
  };
}

export function checkNode() {
  const need = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).engines.node;
  if (!atLeast(process.version, need)) {
    throw new Failure(`Node ${need} is needed and this is ${process.version}: ${GET_NODE}`);
  }
  if (findAll('npm', baseEnv().PATH).length === 0) {
    throw new Failure(`npm is not on PATH; it comes with Node: ${GET_NODE}`);
  }
}

/** rustup with a toolchain that is new enough; adds the WASM target when it is missing. */
export async function checkRust() {
  const env = baseEnv();
  if (findAll('cargo', env.PATH).length === 0) {
    throw new Failure(`Rust is not installed (no cargo on PATH or in ${CARGO_BIN}): ${GET_RUSTUP}`);
  }
  if (findAll('cc', env.PATH).length === 0) {
    throw new Failure(`there is no C compiler (cc), with which Rust links: ${GET_CC}`);
  }
  const need = rustVersionOf(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'));
  const channel = channelOf(readFileSync(join(ROOT, 'rust-toolchain.toml'), 'utf8')) ?? 'stable';
  const have = ask('rustc', ['--version'], env);
  if (!have) {
    throw new Failure(`rustc of the toolchain "${channel}" does not run: rustup toolchain install ${channel}`);
  }
  if (need && !atLeast(have, need)) {
    throw new Failure(`Rust ${need} or newer is needed and this is ${have.split(' ')[1]}: rustup update ${channel}`);
  }
  if (hasWasmTarget(env)) return;
  if (findAll('rustup', env.PATH).length === 0) {
    throw new Failure(`this Rust lacks the target ${WASM_TARGET} and there is no rustup to add it: ${GET_RUSTUP}`);
  }
  await step(`adding the Rust target ${WASM_TARGET}`, 'rustup', ['target', 'add', WASM_TARGET], {
    env,
    hint: `rustup could not add the WebAssembly standard library; try \`rustup target add ${WASM_TARGET}\` by hand`,
  });
}

/** The components of those that the lint suites need which do not run; `runs` tries a cargo command. */
export const missingComponents = runs =>
  [['clippy', 'clippy'], ['rustfmt', 'fmt']].filter(([, command]) => !runs(command)).map(([component]) => component);

/** clippy and rustfmt, which a rustup of `--profile minimal` lacks; adds both when one is missing. */
export async function checkLints() {
  const env = baseEnv();
  const missing = missingComponents(command => ask('cargo', [command, '--version'], env) !== undefined);
  if (missing.length === 0) return;
  if (findAll('rustup', env.PATH).length === 0) {
    throw new Failure(`this Rust lacks ${missing.join(' and ')} and there is no rustup to add it: ${GET_RUSTUP}`);
  }
  await step('adding clippy and rustfmt', 'rustup', ['component', 'add', 'clippy', 'rustfmt'], {
    env,
    hint: 'try `rustup component add clippy rustfmt` by hand, or leave the lint suites out: `npm test -- rust wasm ts e2e`',
  });
}

// Asks the compiler, not rustup: a Rust from a distribution may have the target too.
function hasWasmTarget(env) {
  const lib = ask('rustc', ['--print', 'target-libdir', '--target', WASM_TARGET], env);
  try {
    accessSync(lib ?? '/nowhere');
    return true;
  } catch {
    return false;
  }
}
