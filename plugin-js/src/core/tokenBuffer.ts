import type { WasmCore, WasmMemory } from './wasm';

/** What `write(text, offset, length, encoding)` calls after looking at its arguments */
export type FastBuffer = Buffer &
  Record<'latin1Write' | 'utf8Write', (text: string, offset: number, length: number) => number>;

/** The core's buffer for one token, seen from outside */
export class TokenBuffer {
  readonly #memory: WasmMemory;
  readonly #address: number;
  readonly #bytes: number;
  #view: FastBuffer;

  constructor(memory: WasmMemory, core: WasmCore) {
    this.#memory = memory;
    this.#address = core.token_buffer();
    this.#bytes = core.token_buffer_bytes();
    this.#view = Buffer.alloc(0) as FastBuffer;
  }

  /**
   * Writes a token as UTF-8 and gives its length in bytes.
   *
   * Never `latin1` unseen: that drops the high half of foreign letters and can turn them into valid base64url. A token longer
   * than the buffer is cut one byte beyond the limit, which the core refuses as too large.
   */
  write(token: string): number {
    if (this.#view.buffer !== this.#memory.buffer) {
      // The memory has grown: views on the old one are detached.
      this.#view = Buffer.from(this.#memory.buffer, this.#address, this.#bytes) as FastBuffer;
    }
    if (token.length >= this.#bytes) return this.#bytes;
    // Only ASCII has as many bytes as letters, and is the same in both encodings: counting and copying is faster than encoding.
    if (Buffer.byteLength(token) === token.length) return this.#view.latin1Write(token, 0, this.#bytes);
    const written = this.#view.utf8Write(token, 0, this.#bytes);
    // A foreign letter that no longer fits is left out: refuse as a whole rather than judge a part.
    return written < token.length ? this.#bytes : written;
  }
}
