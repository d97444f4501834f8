/** What may be said on the command line, and what holds otherwise */

export const USAGE =
  'npm run soak [-- --minutes N] [--polling] [--poll SECONDS] [--rate REQUESTS_PER_SECOND] [--changes CHANGES_PER_SECOND]';

export interface Options {
  minutes: number;
  /** Whether Graph tells of changes */
  notifications: boolean;
  /** Seconds between two questions for what has changed */
  poll: number;
  /** Requests in a second */
  rate: number;
  /** Changes in a second */
  changes: number;
}

/** @throws Error for anything else */
export function readOptions(words: readonly string[]): Options {
  const given = new Map<string, number>();
  let notifications = true;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === '--polling') {
      notifications = false;
      continue;
    }
    const value = Number(words[(at += 1)]);
    if (!/^--(?:minutes|poll|rate|changes)$/.test(word) || !(value > 0)) throw new Error(`\`${word}\`: ${USAGE}`);
    given.set(word.slice(2), value);
  }
  return {
    notifications,
    minutes: given.get('minutes') ?? 10,
    // Long enough for nobody to take a poll for a notification; without them as short as it may be.
    poll: given.get('poll') ?? (notifications ? 60 : 10),
    rate: given.get('rate') ?? 200,
    changes: given.get('changes') ?? 5,
  };
}
