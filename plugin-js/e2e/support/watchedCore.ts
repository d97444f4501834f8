import { loadWasm, type WasmCore, type WasmInstance } from '../../src/core/wasm';

/** Loads the core, and shows every instance that is built from it: a test may break it, or ask it */
export function watchedCore(seen: (inside: WasmCore) => void): () => WasmInstance {
  return () => {
    const { Core, memory } = loadWasm();
    class Seen extends Core {
      constructor(text: string, epoch: number) {
        super(text, epoch);
        seen(this as unknown as WasmCore);
      }
    }
    return { Core: Seen as unknown as typeof Core, memory };
  };
}
