/** Repeatable chance: the same seed gives the same order of cases and the same groups in tokens. */
import { mulberry32 } from '../plugin-js/dev/mulberry32';

/** A number in [0, 1) */
export type Random = () => number;

/** The same numbers for the same seed */
export function seeded(seed: number): Random {
  const next = mulberry32(seed);
  return () => next() / 2 ** 32;
}

/** A shuffled copy (Fisher-Yates) */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}

/** A random GUID of version 4, in the form in which Entra writes group ids */
export function guid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  const variant = '89ab'[Math.floor(random() * 4)];
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-4$3-${variant}$4-$5`);
}
