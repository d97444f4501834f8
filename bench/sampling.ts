/** How long one operation takes: the loops around what is measured. */

/**
 * What is measured. Each `once` answers something truthy that does not say `ok: false`, which the loop looks at: a case that begins to
 * go wrong while it is timed ends the run. That costs every case the same, below a nanosecond.
 */
export type Work =
  /** `operations`: how many `once` does, where one is so short that the loops around it would be measured as well. Default: 1 */
  | { kind: 'sync'; once(): unknown; operations?: number }
  /** One after the other, each awaited: latency */
  | { kind: 'awaited'; once(): Promise<unknown> }
  /** `width` at any time: throughput; the time is wall time divided by the number of operations */
  | { kind: 'inFlight'; width: number; once(): Promise<unknown> }
  /** Measures itself (in another process) and answers microseconds */
  | { kind: 'timed'; once(): Promise<number> };

/** How much to measure */
export interface Effort {
  /** Samples of each case */
  rounds: number;
  /** Shortest sample: far above the clock's resolution and long enough to hold its share of garbage collection */
  sampleMs: number;
  /** For each case, before its first sample */
  warmUpMs: number;
  /** Distinct tokens, entities, ... of a workload */
  distinct: number;
}

export const FULL: Effort = { rounds: 41, sampleMs: 25, warmUpMs: 500, distinct: 512 };

/** Proves that it runs and answers rightly; its times mean nothing */
export const QUICK: Effort = { rounds: 3, sampleMs: 0.2, warmUpMs: 0, distinct: 6 };

/** Microseconds for each of `iterations` operations */
export async function sample(work: Work, iterations: number): Promise<number> {
  if (work.kind === 'timed') return work.once();
  const start = process.hrtime.bigint();
  switch (work.kind) {
    case 'sync':
      for (let left = iterations; left > 0; left--) if (!isRight(work.once())) wrong();
      break;
    case 'awaited':
      for (let left = iterations; left > 0; left--) if (!isRight(await work.once())) wrong();
      break;
    case 'inFlight': {
      let left = iterations;
      const lane = async () => {
        while (left-- > 0) if (!isRight(await work.once())) wrong();
      };
      await Promise.all(Array.from({ length: work.width }, lane));
      break;
    }
  }
  return Number(process.hrtime.bigint() - start) / 1000 / iterations / operationsOf(work);
}

/** Warms up, and finds the number of iterations with which a sample is long enough */
export async function calibrate(work: Work, effort: Effort): Promise<number> {
  if (work.kind === 'timed') return 1;
  const least = work.kind === 'inFlight' ? work.width : 1;
  const warmUntil = performance.now() + effort.warmUpMs;
  for (let iterations = least; ;) {
    const usEach = await sample(work, iterations);
    const enough = Math.max(least, Math.ceil((effort.sampleMs * 1000) / usEach / operationsOf(work)));
    // A first, cold sample is slower and would settle for too few.
    if (iterations * 1.25 >= enough && performance.now() >= warmUntil) return Math.max(iterations, enough);
    iterations = Math.min(Math.max(iterations, enough), iterations * 4);
  }
}

const operationsOf = (work: Work): number => (work.kind === 'sync' && work.operations) || 1;

/** Looked at here, not by one more promise around each answer: with many in flight that is a part of what is measured */
export const isRight = (answer: unknown): boolean => Boolean(answer) && (answer as { ok?: unknown }).ok !== false;

function wrong(): never {
  throw new Error('a wrong answer while it was timed');
}
