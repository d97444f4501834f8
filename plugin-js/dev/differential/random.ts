import { mulberry32 } from '../mulberry32';

/** A seeded generator: a token is made from seed and index alone, so that one of a hundred thousand can be made again. */
export class Random {
  /** A number of 32 bits */
  readonly next: () => number;

  constructor(seed: number, index = 0) {
    this.next = mulberry32(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    // Neighbouring indices start from neighbouring states: stir first.
    this.next();
    this.next();
  }

  /** From 0 up to, not including, `end` */
  below(end: number): number {
    return this.next() % end;
  }

  /** True in `percent` of a hundred cases */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  shuffle<T>(all: T[]): void {
    for (let at = all.length - 1; at > 0; at -= 1) {
      const other = this.below(at + 1);
      [all[at], all[other]] = [all[other] as T, all[at] as T];
    }
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  guid(): string {
    const hex = this.bytes(16).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}
