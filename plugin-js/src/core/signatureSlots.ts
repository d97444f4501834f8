import type { FastBuffer } from './tokenBuffer';

/** How many signatures can be under way; a power of two, as places in the queues are counted through */
export const SLOTS = 128;

/** The longest signed text with its signature: tokens of 250 groups fit. Longer ones are checked elsewhere */
export const SLOT_BYTES = 16 * 1024;

/** So many keys each thread keeps, the newest: more than all issuers together have. Older ones are told of again should they be needed */
export const KEYS = 1024;

// The words that all threads share: what was asked and what was taken, who sleeps, what was answered, whether that was told.
const ASKED = 0;
const TAKEN = 1;
const SLEEPING = 2;
const ANSWERED = 3;
const TOLD = 4;
const QUEUE = 8;
const ANSWERS = QUEUE + SLOTS;
const HEADS = ANSWERS + SLOTS;
// Of each slot: number of the key, length of what is signed and of the signature, whether it fits.
const HEAD_WORDS = 4;
const WORDS = HEADS + SLOTS * HEAD_WORDS;

/** How all this lies in memory; a thread of another version must not read it. The number at the end: of what the words mean */
export const LAYOUT = [SLOTS, SLOT_BYTES, WORDS, HEADS, 1].join(' ');

/** A signature to be checked, as it lies in its slot */
export interface AskedSignature {
  key: number;
  signed: Uint8Array;
  signature: Uint8Array;
}

/**
 * Memory in which one thread lays down signatures to be checked and others say whether they fit.
 *
 * A slot belongs to whoever asked until it is put into the queue, then to the one thread that takes it out, and again to whoever asked
 * when the answer is read. Words are read and written by `Atomics` wherever a slot goes from one to another, so what was written before is seen.
 */
export class SignatureSlots {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: FastBuffer;
  /** How many answers were read */
  #read = 0;

  constructor(shared = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT + SLOTS * SLOT_BYTES)) {
    this.shared = shared;
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#bytes = Buffer.from(shared, this.#words.byteLength) as FastBuffer;
  }

  /** Lays down a signature of the first `signed` letters of an ASCII text; both together are no longer than {@link SLOT_BYTES} */
  ask(slot: number, key: number, text: string, signed: number, signature: Uint8Array): void {
    const words = this.#words;
    const head = HEADS + slot * HEAD_WORDS;
    words[head] = key;
    words[head + 1] = signed;
    words[head + 2] = signature.length;
    // Ten times as fast as copying bytes into shared memory, which V8 does with care for other threads.
    if (this.#bytes.latin1Write(text, slot * SLOT_BYTES, signed) !== signed)
      throw new RangeError('a text shorter than was said');
    this.#bytes.set(signature, slot * SLOT_BYTES + signed);
    const asked = words[ASKED] as number;
    Atomics.store(words, QUEUE + (asked & (SLOTS - 1)), slot);
    Atomics.store(words, ASKED, (asked + 1) | 0);
    // Whoever is about to sleep finds that something was asked, and does not.
    if (Atomics.load(words, SLEEPING) > 0) Atomics.notify(words, ASKED, 1);
  }

  /** What was asked in a slot */
  asked(slot: number): AskedSignature {
    const head = HEADS + slot * HEAD_WORDS;
    const key = this.#words[head] as number;
    const signature = slot * SLOT_BYTES + (this.#words[head + 1] as number);
    return {
      key,
      signed: this.#bytes.subarray(slot * SLOT_BYTES, signature),
      signature: this.#bytes.subarray(signature, signature + (this.#words[head + 2] as number)),
    };
  }

  /** The next slot to be checked, for this thread alone; `undefined` when there is none */
  take(): number | undefined {
    const words = this.#words;
    for (;;) {
      const taken = Atomics.load(words, TAKEN);
      if (taken === Atomics.load(words, ASKED)) return undefined;
      const slot = Atomics.load(words, QUEUE + (taken & (SLOTS - 1)));
      // Another one was faster, or the place has been used anew since: then this is not the number any more.
      if (Atomics.compareExchange(words, TAKEN, taken, (taken + 1) | 0) === taken) return slot;
    }
  }

  /** Blocks this thread until something may have been asked */
  sleep(): void {
    const words = this.#words;
    Atomics.add(words, SLEEPING, 1);
    const asked = Atomics.load(words, ASKED);
    if (asked === Atomics.load(words, TAKEN)) Atomics.wait(words, ASKED, asked);
    Atomics.sub(words, SLEEPING, 1);
  }

  /** Says whether the signature in a slot fits, which gives the slot back */
  answer(slot: number, fits: boolean): void {
    const words = this.#words;
    words[HEADS + slot * HEAD_WORDS + 3] = fits ? 1 : 0;
    const at = Atomics.add(words, ANSWERED, 1);
    Atomics.store(words, ANSWERS + (at & (SLOTS - 1)), slot + 1);
  }

  /** Whether whoever asked has to be told that there are answers: not while an earlier word is under way */
  mustTell(): boolean {
    return Atomics.exchange(this.#words, TOLD, 1) === 0;
  }

  /** Reads the answers that are there */
  answers(each: (slot: number, fits: boolean) => void): void {
    const words = this.#words;
    // First, so that an answer that comes too late for this is told of again.
    Atomics.store(words, TOLD, 0);
    for (;;) {
      const at = ANSWERS + (this.#read & (SLOTS - 1));
      const slot = Atomics.exchange(words, at, 0) - 1;
      if (slot < 0) return;
      this.#read = (this.#read + 1) | 0;
      each(slot, words[HEADS + slot * HEAD_WORDS + 3] === 1);
    }
  }
}
