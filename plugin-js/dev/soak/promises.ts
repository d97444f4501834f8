/** What is promised, and whether it was kept. */
import type { Options } from './options';
import { seconds } from './percentiles';
import type { Tally } from './tally';

/** With notifications, in milliseconds */
const TOLD_WITHIN_MS = 5_000;

/** A machine that answers more slowly has too much to do: how long anything took is not known then */
const SLOW_MS = 1_000;

/** `undefined` for what nothing was seen of */
export type Kept = [promise: string, kept: boolean | undefined];

export interface Seen {
  tally: Tally;
  /** People who were not answered as Entra has them once nothing changed any more */
  lost: number;
  /** The state of groups that each replica told while it knew too little of them */
  states: readonly string[];
  /** What went wrong beside */
  failures: readonly Error[];
}

/** Milliseconds in which a change has to arrive on every replica while nothing is wrong */
export function withinMsOf({ notifications, poll }: Options): number {
  return notifications ? TOLD_WITHIN_MS : poll * 1000;
}

export function promisesOf(options: Options, { tally, lost, states, failures }: Seen): Kept[] {
  const withinMs = withinMsOf(options);
  const quiet = tally.arrivals('quiet', false);
  return [
    ['no request allowed by a state that was too old', tally.yes.tooOld === 0],
    ['nothing allowed while nothing counted', tally.stale.answers > 0 ? tally.stale.yes === 0 : undefined],
    ['groups unknown while nothing counted', states.length > 0 ? states.every(each => each === 'unknown') : undefined],
    ['no change lost', lost === 0],
    ['every request answered', tally.unanswered.size === 0],
    [
      `refused within ${seconds(withinMs)} in quiet times`,
      quiet.count > 0 && tally.answeredIn < SLOW_MS ? quiet.p99 <= withinMs : undefined,
    ],
    [`a machine that answers within ${seconds(SLOW_MS)}: lower --rate`, tally.answeredIn < SLOW_MS],
    [`no failure${failures.map(({ message }) => `: ${message}`).join('')}`, failures.length === 0],
  ];
}
