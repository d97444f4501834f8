import type { Freshness } from './freshness';
import { turn, turnClock } from './turnClock';

/**
 * The time by which the core is asked. With the first look at it in a turn whatever has become too old ends, and an epoch
 * may begin: look before anything that belongs to an epoch is taken in hand.
 */
export class CoreClock {
  readonly #freshness: Freshness;
  readonly #wall: () => number;
  /** Whether the wall clock stands still within a turn: {@link turnClock} does, one of a test need not */
  readonly #still: boolean;
  /** The last time that was looked at; kept here, as a number that a call returns would be put on the heap each time */
  #now = NaN;

  constructor(freshness: Freshness, wall: () => number) {
    this.#freshness = freshness;
    this.#wall = wall;
    this.#still = wall === turnClock;
  }

  /** Milliseconds since the epoch */
  get now(): number {
    this.look();
    return this.#now;
  }

  /** Seconds since the epoch, as the core's 32 bits */
  get seconds(): number {
    return (this.now / 1000) >>> 0;
  }

  /** Ends what is too old by now. Compared with `false`: to negate it, the optimizing compiler asks what kind of value it is */
  look(): void {
    if (this.#now !== turn.now || this.#still === false) this.#read();
  }

  #read(): void {
    this.#now = this.#wall();
    this.#freshness.passed(this.#now);
  }
}
