/**
 * Loads the WebAssembly package. The only file that names it.
 *
 * Each call makes a fresh instance: the glue that wasm-pack writes keeps one instance per module, so the module is loaded
 * anew. After a trap the old instance's memory cannot be trusted and must never be used again.
 */
const GLUE = '../../pkg/entra_access_core.js';

type Glue = typeof import('../../pkg/entra_access_core');

export type { SignatureChecks } from '../../pkg/entra_access_core';

/** Linear memory; `buffer` changes when it grows */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** One instance of the core's WebAssembly module */
export interface WasmInstance {
  Core: Glue['Core'];
  memory: WasmMemory;
}

/** The exported class, as wasm-bindgen types it */
export type WasmCore = InstanceType<Glue['Core']>;

/**
 * Leaves the object of a trapped instance to its fate. The glue would free it inside the ruined memory once it is garbage;
 * should that trap again, nobody could catch it and the whole process would end.
 */
export function abandon(core: WasmCore): void {
  (core as WasmCore & { __destroy_into_raw(): number }).__destroy_into_raw();
}

/** Compiles and instantiates the module */
export function loadWasm(): WasmInstance {
  delete require.cache[require.resolve(GLUE)];
  const glue = require(GLUE) as Glue;
  // Node keeps a list of all modules that a module ever loaded, and with them the memory of dead instances.
  module.children = module.children.filter(({ id }) => id !== require.resolve(GLUE));
  return { Core: glue.Core, memory: glue.linearMemory() as WasmMemory };
}
