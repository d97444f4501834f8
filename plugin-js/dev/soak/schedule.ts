/** What happens at which second of the soak, and in which of its phases a moment lies. */

/** What there is to do */
export interface Deeds {
  /** Once another one serves in its place */
  killReplica(): Promise<void>;
  graph(fault: 'throttled' | 'down' | undefined): void;
  /** Asks each replica what it makes of groups that it knows too little of */
  askForStates(): Promise<void>;
}

interface Entry {
  /** Seconds since the beginning */
  at: number;
  what: string;
  run(deeds: Deeds): Promise<void> | void;
}

const KILL_EVERY_SECONDS = 60;
/** How much longer Graph is away than what is known counts */
const BEYOND_SECONDS = 30;

/**
 * Graph throttles for a tenth of the time and is down for another: 60 s each of 10 min. Then it is away for longer than what is known
 * counts, where there is time for that
 */
export function scheduleOf(seconds: number, staleAfterSeconds: number): Entry[] {
  const away: Array<[from: number, to: number, 'throttled' | 'down']> = [
    [0.15 * seconds, 0.25 * seconds, 'throttled'],
    [0.3 * seconds, 0.4 * seconds, 'down'],
  ];
  const long = 0.5 * seconds + staleAfterSeconds + BEYOND_SECONDS;
  const isLong = long <= 0.85 * seconds;
  if (isLong) away.push([0.5 * seconds, long, 'down']);
  const faults = away.flatMap(([from, to, fault]): Entry[] => [
    { at: from, what: fault === 'down' ? 'Graph is down' : 'Graph throttles', run: deeds => deeds.graph(fault) },
    { at: to, what: 'Graph answers again', run: deeds => deeds.graph(undefined) },
  ]);
  if (isLong)
    faults.push({
      at: long - 5,
      what: 'replicas are asked for the state of groups',
      run: deeds => deeds.askForStates(),
    });
  const kills: Entry[] = [];
  for (let at = KILL_EVERY_SECONDS / 2; at < seconds - KILL_EVERY_SECONDS / 4; at += KILL_EVERY_SECONDS) {
    kills.push({ at, what: 'a replica is killed', run: deeds => deeds.killReplica() });
  }
  return [...faults, ...kills].sort((a, b) => a.at - b.at);
}

/** What was wrong at a moment */
export type Phase = 'quiet' | 'replica killed' | 'Graph away';

/** Something was wrong; milliseconds of one clock */
interface Window {
  phase: Exclude<Phase, 'quiet'>;
  from: number;
  to: number;
}

/** For so long after a fault things go back to normal */
const AFTER_MS = 10_000;

/** The faults as they were */
export class Phases {
  readonly #windows: Window[] = [];
  readonly #beforeMs: number;

  /** @param beforeMs a change so long before a fault may be caught in it: the time in which it would have arrived */
  constructor(beforeMs: number) {
    this.#beforeMs = beforeMs;
  }

  /** @returns what ends it */
  begin(phase: Window['phase']): () => void {
    const window = { phase, from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#windows.push(window);
    return () => void (window.to = performance.now());
  }

  /** Graph's being away is the graver one */
  of(moment: number): Phase {
    const around = this.#windows.filter(({ from, to }) => moment >= from - this.#beforeMs && moment <= to + AFTER_MS);
    return around.find(({ phase }) => phase === 'Graph away')?.phase ?? around[0]?.phase ?? 'quiet';
  }

  /** Milliseconds since Graph was last there, at a moment at which it is away */
  awayFor(moment: number): number {
    const away = this.#windows.find(({ phase, from, to }) => phase === 'Graph away' && moment >= from && moment <= to);
    return away ? moment - away.from : 0;
  }
}
