import { randomInt } from 'node:crypto';

/** A number as CI services give them to jobs, as text */
export function randomId(): string {
  return String(randomInt(1_000_000_000, 9_999_999_999));
}
