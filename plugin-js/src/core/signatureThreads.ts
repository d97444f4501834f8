import { verify, type KeyLike, type VerifyKeyObjectInput } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { KEYS, LAYOUT, SLOT_BYTES, SLOTS, SignatureSlots } from './signatureSlots';
import type { NumberedKey, ThreadData } from './signatureThread';

type Key = KeyLike | VerifyKeyObjectInput;

/** As it is compiled, from the sources as well: a thread does not know what else its process can load */
const FILE = join(__dirname, '..', '..', 'dist', 'core', 'signatureThread.js');

/** More do not help the one thread that reads the tokens */
const MOST_THREADS = 4;

interface Thread {
  worker: Worker;
  keys: MessagePort;
}

/** A signature in a slot */
interface Laid<Asked> {
  asked: Asked;
  key: NumberedKey;
}

interface Options<Asked> {
  /** Is told of each signature, later and once */
  done: (asked: Asked, fits: boolean) => void;
  /** Is told should the threads end by themselves; the text names no token */
  lost: (why: string) => void;
}

/**
 * Checks signatures in threads of its own; `Asked` is what the asker knows a signature by.
 *
 * They are started by the first signature. What they cannot take is checked in Node's thread pool: all until they run, what is too long,
 * more than {@link SLOTS} at a time, and everything once a thread has ended that should not have.
 * Why not all there: docs/decisions/0004-signatures-in-threads.md.
 */
export class SignatureThreads<Asked extends { readonly token: string }> {
  readonly #options: Options<Asked>;
  #slots?: SignatureSlots;
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  readonly #laid: Array<Laid<Asked> | undefined> = new Array(SLOTS).fill(undefined);
  readonly #numbered = new WeakMap<object, NumberedKey>();
  #threads: Thread[] = [];
  #state: 'unused' | 'started' | 'closed' = 'unused';
  #lastKey = -1;

  constructor(options: Options<Asked>) {
    this.#options = options;
  }

  /** Whether signatures are checked in threads of its own */
  get running(): boolean {
    return this.#slots !== undefined;
  }

  /** Has the signature of the first letters of a token checked; its bytes may be overwritten afterwards */
  check(asked: Asked, digest: string, letters: number, key: Key, signature: Uint8Array): void {
    if (this.#state === 'unused') this.#start();
    const slots = this.#slots;
    if (slots === undefined || letters + signature.length > SLOT_BYTES || this.#free.length === 0) {
      // Only what is ASCII gets as far as its signature.
      return this.#elsewhere(asked, digest, Buffer.from(asked.token.slice(0, letters), 'latin1'), key, signature);
    }
    const numbered = this.#numberedKey(key, digest);
    const slot = this.#free.at(-1) as number;
    slots.ask(slot, numbered.number, asked.token, letters, signature);
    // Only now: whatever throws before has taken nothing.
    this.#free.length -= 1;
    this.#laid[slot] = { asked, key: numbered };
    // A question that is under way keeps the process alive, as it does in Node's thread pool.
    if (this.#free.length === SLOTS - 1) this.#threads[0]?.worker.ref();
  }

  /** Ends the threads; what is under way is answered */
  close(): void {
    const slots = this.#slots;
    this.#slots = undefined;
    this.#state = 'closed';
    for (const { worker, keys } of this.#threads) {
      keys.close();
      void worker.terminate();
    }
    this.#threads = [];
    this.#laid.forEach((laid, slot) => {
      if (laid === undefined || slots === undefined) return;
      this.#laid[slot] = undefined;
      const { asked, key } = laid;
      const { signed, signature } = slots.asked(slot);
      this.#elsewhere(asked, key.digest, signed, key.key, signature);
    });
  }

  #start(): void {
    this.#state = 'started';
    const slots = new SignatureSlots();
    try {
      const threads = Math.min(availableParallelism(), MOST_THREADS);
      while (this.#threads.length < threads) this.#threads.push(this.#thread(slots));
    } catch (error) {
      this.#lost(error);
    }
  }

  #thread(slots: SignatureSlots): Thread {
    const { port1: keys, port2 } = new MessageChannel();
    const workerData: ThreadData = { layout: LAYOUT, shared: slots.shared, keys: port2 };
    // What the process was told to load first, by its arguments or NODE_OPTIONS, is not for a thread that never comes back to its event loop.
    const worker = new Worker(FILE, { workerData, transferList: [port2], execArgv: [], env: {} });
    worker.on('message', () => {
      if (this.#state === 'closed') return;
      // The first word is that it runs.
      this.#slots ??= slots;
      this.#answered(this.#slots);
    });
    worker.on('error', error => this.#lost(error));
    worker.on('exit', () => this.#lost(undefined));
    worker.unref();
    keys.unref();
    return { worker, keys };
  }

  /** Where threads are not allowed, or have failed, Node's thread pool does it all */
  #lost(error: unknown): void {
    // Those that were ended on purpose end as well.
    if (this.#state === 'closed') return;
    this.close();
    this.#options.lost(error instanceof Error ? error.name : 'it ended');
  }

  #answered(slots: SignatureSlots): void {
    slots.answers((slot, fits) => {
      const laid = this.#laid[slot];
      this.#laid[slot] = undefined;
      this.#free.push(slot);
      if (laid !== undefined) this.#done(laid.asked, fits);
    });
    if (this.#free.length === SLOTS) this.#threads[0]?.worker.unref();
  }

  /** A key under a number that all threads have been told */
  #numberedKey(key: Key, digest: string): NumberedKey {
    const known = this.#numbered.get(key as object);
    if (known !== undefined && known.number > this.#lastKey - KEYS) return known;
    const numbered: NumberedKey = { number: this.#lastKey + 1, digest, key };
    this.#lastKey = numbered.number;
    for (const { keys } of this.#threads) keys.postMessage(numbered);
    this.#numbered.set(key as object, numbered);
    return numbered;
  }

  #elsewhere(asked: Asked, digest: string, signed: Uint8Array, key: Key, signature: Uint8Array): void {
    verify(digest, signed, key, signature, (error, fits) => this.#done(asked, !error && fits === true));
  }

  /** Should whoever asked throw, it is not on the way of the others */
  #done(asked: Asked, fits: boolean): void {
    try {
      this.#options.done(asked, fits);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
