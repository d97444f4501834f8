// wasm-pack and the wasm-bindgen CLI: what is on the machine is used if it fits, else cargo builds it into .tools.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from './failure.mjs';
import { baseEnv, findAll } from './machine.mjs';
import { ROOT, TOOLS } from './paths.mjs';
import { ask, capture, step, tail } from './run.mjs';
import { atLeast, lockedVersion, parseVersion } from './versions.mjs';

const WASM_PACK = '0.15.1';
// Older ones pass arguments to cargo differently.
const OLDEST_WASM_PACK = '0.13.0';

/** The environment in which wasm-pack finds exactly these tools and has no need of a download. */
export async function wasmTools() {
  if (!existsSync(join(ROOT, 'Cargo.lock'))) {
    await step('locking the Rust dependencies', 'cargo', ['generate-lockfile'], { env: baseEnv() });
  }
  const bindgen = lockedVersion(readFileSync(join(ROOT, 'Cargo.lock'), 'utf8'), 'wasm-bindgen');
  if (!bindgen) throw new Failure('Cargo.lock names no wasm-bindgen: run `cargo update --workspace`');

  const pack = await find('wasm-pack', 'wasm-pack', WASM_PACK, have => atLeast(have, OLDEST_WASM_PACK));
  // Its file format changes with every release: only the very version of the library will do.
  const cli = await find('wasm-bindgen', 'wasm-bindgen-cli', bindgen, have => same(have, bindgen));
  return baseEnv([dirname(cli), dirname(pack)]);
}

const same = (have, need) => String(parseVersion(have)) === String(parseVersion(need));

async function find(program, crate, version, fits) {
  const own = join(TOOLS, 'bin');
  const here = () => findAll(program, [own, baseEnv().PATH].join(delimiter)).find(file => fits(ask(file, ['--version'])));
  const found = here();
  if (found) return found;
  await install(crate, version);
  const built = here();
  if (!built) throw new Failure(`cargo installed ${crate} ${version}, but ${join(own, program)} does not run`);
  return built;
}

async function install(crate, version) {
  const label = `installing ${crate} ${version} (once, takes minutes)`;
  const build = join(TOOLS, 'build');
  const args = ['install', '--root', TOOLS, crate, '--version', version];
  // Kept over an interruption, so that the next try goes on where this one stopped. They run for seconds: optimising them would take minutes.
  const env = { ...baseEnv(), CARGO_TARGET_DIR: build, CARGO_PROFILE_RELEASE_OPT_LEVEL: '1', CARGO_PROFILE_RELEASE_LTO: 'off' };
  const locked = await capture(label, 'cargo', [...args, '--locked'], { env });
  if (locked.code !== 0) {
    process.stdout.write(`${tail(locked.output, 3)}\ntrying again without the locked dependencies of ${crate}\n`);
    // A registry mirror may lag behind: the lock file then names a release that is not there yet.
    await step(label, 'cargo', args, { env, hint: `\`cargo install ${crate} --version ${version}\` by hand shows more` });
  }
  rmSync(build, { recursive: true, force: true });
}
