import type { Freshness } from './freshness';
import { atEndOfRun, turnClock } from './turnClock';

/**
 * The time by which the core is asked. Whatever has become too old ends with the first look at it in a run of JavaScript,
 * before the question: an epoch may begin with that.
 */
export class CoreClock {
  readonly #freshness: Freshness;
  readonly #wall: () => number;
  /** Whether the wall clock stands still within a run: {@link turnClock} does, one of a test need not */
  readonly #still: boolean;
  /** 0: not read in this run. A number of its own, as what a call returns would be put on the heap for each question */
  #now = 0;
  readonly #forget = () => {
    this.#now = 0;
  };

  constructor(freshness: Freshness, wall: () => number = turnClock) {
    this.#freshness = freshness;
    this.#wall = wall;
    this.#still = wall === turnClock;
  }

  /** Milliseconds since the epoch */
  get now(): number {
    if (this.#now === 0 || this.#still === false) this.#read();
    return this.#now;
  }

  /** Seconds since the epoch, as the core's 32 bits */
  get seconds(): number {
    return (this.now / 1000) >>> 0;
  }

  #read(): void {
    if (this.#still) atEndOfRun(this.#forget);
    this.#now = this.#wall();
    this.#freshness.passed(this.#now);
  }
}
