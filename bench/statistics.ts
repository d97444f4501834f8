/** What becomes of the samples: medians, because one garbage collection or one busy neighbour must not move a result. */

/** The `share` quantile (0.5 is the median), interpolated between neighbours like R's default */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** One line of a table; times in microseconds */
export interface Row {
  name: string;
  /** Median over the rounds */
  us: number;
  /** Quartiles over the rounds */
  q1: number;
  q3: number;
  /** Median of the per-round ratios to the reference: what drifts within the run cancels */
  ratio: number;
}

/** `samples[round]` of a case and of the reference, taken in the same rounds */
export function summarise(name: string, samples: readonly number[], reference: readonly number[]): Row {
  if (samples.length !== reference.length) throw new RangeError(`${name}: not measured in the same rounds`);
  return {
    name,
    us: median(samples),
    q1: quantile(samples, 0.25),
    q3: quantile(samples, 0.75),
    ratio: median(samples.map((sample, round) => sample / (reference[round] as number))),
  };
}
