const SETTLED = Promise.resolve();
const NOT_READ = -1;

/** What was read in this turn of JavaScript; an object of its own, so that its number stays out of the heap when it is read */
export const turn = { now: NOT_READ };

const forget = () => {
  turn.now = NOT_READ;
};

/**
 * Milliseconds since the epoch, read once in a turn of JavaScript: to ask the system costs as much as several decisions,
 * and the catalog asks about every entity of a page in one go.
 *
 * What was read is forgotten before anything can come in from outside, so no request is answered by an earlier one's time.
 */
export function turnClock(): number {
  if (turn.now === NOT_READ) {
    turn.now = Date.now();
    void SETTLED.then(forget);
  }
  return turn.now;
}
