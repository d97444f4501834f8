/** What Entra holds of one person at which time, and how old an answer is that is measured by it. Times in milliseconds of one clock. */

/** From then on */
interface Period {
  at: number;
  allowed: boolean;
}

/** How old an answer is, and whether it is one of the present */
export interface Age {
  /** At least so long before it was asked for did the state end that it is an answer of; 0 for one of the present */
  ms: number;
  /** Of the change that ended that state */
  change?: number;
}

/** The periods of one person, the last one open */
export class Truth {
  readonly #periods: Period[];

  constructor(allowed: boolean) {
    this.#periods = [{ at: 0, allowed }];
  }

  /** What holds now */
  get allowed(): boolean {
    return (this.#periods.at(-1) as Period).allowed;
  }

  /** When the last change was made */
  get changedAt(): number {
    return (this.#periods.at(-1) as Period).at;
  }

  /** Entra has answered that it is so now */
  set(allowed: boolean, at: number): void {
    if (allowed !== this.allowed) this.#periods.push({ at, allowed });
  }

  /** The age of an answer that was asked for then; one that was right at any moment since is of the present */
  age(answer: boolean, askedAt: number): Age {
    for (let at = this.#periods.length - 1; at >= 0; at -= 1) {
      if ((this.#periods[at] as Period).allowed !== answer) continue;
      const end = this.#periods[at + 1]?.at ?? Number.POSITIVE_INFINITY;
      return end >= askedAt ? { ms: 0 } : { ms: askedAt - end, change: end };
    }
    // Never true: as old as can be.
    return { ms: askedAt, change: 0 };
  }
}
