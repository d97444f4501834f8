/** What happens at which second of the soak. */

/** What there is to do; each tells what it did for the report */
export interface Deeds {
  killReplica(): Promise<void>;
  graph(fault: 'throttled' | 'down' | undefined): void;
}

interface Entry {
  /** Share of the whole duration, or every so many seconds */
  at: number;
  what: string;
  run(deeds: Deeds): Promise<void> | void;
}

const KILL_EVERY_SECONDS = 60;

/** Graph throttles for a tenth of the time and is down for another: 60 s each of 10 min */
export function scheduleOf(seconds: number): Entry[] {
  const faults: Entry[] = [
    { at: 0.3 * seconds, what: 'Graph throttles', run: deeds => deeds.graph('throttled') },
    { at: 0.4 * seconds, what: 'Graph answers again', run: deeds => deeds.graph(undefined) },
    { at: 0.6 * seconds, what: 'Graph is down', run: deeds => deeds.graph('down') },
    { at: 0.7 * seconds, what: 'Graph answers again', run: deeds => deeds.graph(undefined) },
  ];
  const kills: Entry[] = [];
  for (let at = KILL_EVERY_SECONDS / 2; at < seconds - KILL_EVERY_SECONDS / 4; at += KILL_EVERY_SECONDS) {
    kills.push({ at, what: 'a replica is killed', run: deeds => deeds.killReplica() });
  }
  return [...faults, ...kills].sort((a, b) => a.at - b.at);
}
