/** Of durations in milliseconds */
export interface Percentiles {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  longest: number;
}

/** All 0 where there are none */
export function percentiles(durations: readonly number[]): Percentiles {
  const sorted = [...durations].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
