import { setTimeout as sleep } from 'node:timers/promises';
import type { DeltaPage, GraphClient } from '../graph/graphClient';
import { GraphError } from '../graph/graphError';

/** From this share of what Graph grants on, requests are spread */
const PRESSURE = 0.8;
const LONGEST_PAUSE_MS = 5_000;

/** What is left of the time of a run */
export class Time {
  readonly signal: AbortSignal;
  readonly #end: number;
  readonly #half: number;

  constructor(ms: number, signal: AbortSignal) {
    const now = performance.now();
    [this.#half, this.#end] = [now + ms / 2, now + ms];
    this.signal = signal;
  }

  get halfOver(): boolean {
    return this.over || performance.now() >= this.#half;
  }

  get over(): boolean {
    return this.signal.aborted || performance.now() >= this.#end;
  }
}

/** Waits for the end of some work, or for the signal */
export async function eitherOf(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>(resolve => (stop = resolve));
  signal.addEventListener('abort', stop);
  try {
    await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A list without an end */
export class EndlessError extends GraphError {}

export function endless(what: string): EndlessError {
  return new EndlessError(`the answer of Microsoft Graph is refused: ${what}`, { scope: 'tenant' });
}

/** Waits, or is rejected when the signal comes */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** Pages one after the other, each once, and slower when Graph has enough */
export class Pages {
  readonly #client: Pick<GraphClient, 'delta'>;
  readonly #time: Time;
  readonly #pause: Pause;
  readonly #seen = new Set<string>();
  #pressure = 0;

  constructor(
    client: Pick<GraphClient, 'delta'>,
    time: Time,
    pause: Pause = (ms, signal) => sleep(ms, undefined, { signal }),
  ) {
    this.#client = client;
    this.#time = time;
    this.#pause = pause;
  }

  /** @throws EndlessError for a page that there was already */
  async next(address: string | URL): Promise<DeltaPage> {
    const link = String(address);
    if (this.#seen.has(link)) throw endless('it names a page twice');
    this.#seen.add(link);
    const { over, signal } = this.#time;
    if (this.#pressure >= PRESSURE && !over)
      await this.#pause(Math.min(LONGEST_PAUSE_MS, this.#pressure * 1_000), signal);
    const page = await this.#client.delta(address, signal);
    this.#pressure = page.pressure;
    return page;
  }
}
