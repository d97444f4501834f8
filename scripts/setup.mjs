// Brings a machine with Node and rustup to the point where everything can run; does nothing when all is in place.
import { pathToFileURL } from 'node:url';
import { nodeModules, typeScript, wasmPackage } from './lib/builds.mjs';
import { main } from './lib/failure.mjs';
import { withLock } from './lib/lock.mjs';
import { baseEnv, checkLints, checkNode, checkRust } from './lib/machine.mjs';
import { wasmTools } from './lib/tools.mjs';

/**
 * @param {{ tools?: boolean, build?: boolean, lints?: boolean }} options `tools`: wasm-pack is needed even if nothing is to be built;
 *   `build: false`: the caller needs no WebAssembly and no TypeScript output; `lints`: clippy and rustfmt are needed
 * @returns the environment in which the tools of the project are found
 */
export async function setup({ tools = false, build = true, lints = false } = {}) {
  checkNode();
  return withLock(async () => {
    await checkRust();
    if (lints) await checkLints();
    // First, as wasm-opt of the WebAssembly build comes from there.
    await nodeModules();
    const env = tools ? await wasmTools() : baseEnv();
    if (build) {
      await wasmPackage();
      await typeScript();
    }
    return env;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    await setup({ tools: true });
    process.stdout.write('everything is in place\n');
  });
}
