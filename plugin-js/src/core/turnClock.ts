const SETTLED = Promise.resolve();

/** Calls back when this run of JavaScript ends: before anything can come in from outside */
export function atEndOfRun(callback: () => void): void {
  void SETTLED.then(callback);
}

/** 0: not read in this turn */
let now = 0;

const forget = () => {
  now = 0;
};

/**
 * Milliseconds since the epoch, read once in a run of JavaScript: to ask the system costs as much as several decisions,
 * and the catalog asks about every entity of a page in one go.
 *
 * What was read is forgotten before anything can come in from outside, so no request is answered by an earlier one's time.
 */
export function turnClock(): number {
  if (now === 0) {
    now = Date.now();
    atEndOfRun(forget);
  }
  return now;
}
