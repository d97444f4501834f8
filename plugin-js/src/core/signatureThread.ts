/** A thread that checks signatures and does nothing else. Only `signatureThreads.ts` loads this file, as a thread: it never returns. */
import { createVerify, type KeyLike, type VerifyKeyObjectInput } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { KEYS, LAYOUT, SignatureSlots, type AskedSignature } from './signatureSlots';

/** What a thread is started with */
export interface ThreadData {
  layout: string;
  shared: SharedArrayBuffer;
  keys: MessagePort;
}

/** A key under the number that signatures name it by */
export interface NumberedKey {
  number: number;
  digest: string;
  key: KeyLike | VerifyKeyObjectInput;
}

/** Answers are told of in lots while there is more to do: each word takes both threads some microseconds */
const LOT = 32;

function run(slots: SignatureSlots, port: MessagePort, tell: () => void): never {
  const keys = new Map<number, NumberedKey>();
  let untold = 0;
  const tellAll = () => {
    if (untold > 0 && slots.mustTell()) tell();
    untold = 0;
  };
  for (;;) {
    const slot = slots.take();
    if (slot === undefined) {
      tellAll();
      slots.sleep();
      continue;
    }
    slots.answer(slot, fits(slots.asked(slot), keys, port));
    untold += 1;
    if (untold === LOT) tellAll();
  }
}

function fits({ key, signed, signature }: AskedSignature, keys: Map<number, NumberedKey>, port: MessagePort): boolean {
  try {
    receiveKeys(keys, port, key);
    const known = keys.get(key);
    return known !== undefined && createVerify(known.digest).update(signed).verify(known.key, signature);
  } catch {
    // A key that can't check such a signature: it does not fit.
    return false;
  }
}

/** Up to the one that is wanted and no further: a key is sent before the first signature that names it, and may be forgotten for a later one */
function receiveKeys(keys: Map<number, NumberedKey>, port: MessagePort, wanted: number): void {
  while (!keys.has(wanted)) {
    const received = receiveMessageOnPort(port);
    if (!received) return;
    const numbered = received.message as NumberedKey;
    keys.set(numbered.number, numbered);
    keys.delete(numbered.number - KEYS);
  }
}

const { layout, shared, keys } = workerData as ThreadData;
// Where an upgrade has replaced this file under a running process.
if (layout !== LAYOUT) throw new Error('a thread of another version');
const tell = () => parentPort?.postMessage('answers');
// That it runs.
tell();
run(new SignatureSlots(shared), keys, tell);
