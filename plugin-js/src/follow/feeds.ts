import type { DatabaseService } from '@backstage/backend-plugin-api';

export type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

/** Of the rows that this version writes and reads; to be changed with their meaning, so that two versions can run side by side */
export const FORMAT = 2;
/** Of a feed of which nothing is being loaded: such rows mean what they meant to the version before, which an operator may go back to */
export const SETTLED_FORMAT = 1;

export const USERS = 'users';

/** A delta query of one tenant; its groups may be spread over several */
export interface FeedKey {
  tenant: string;
  /** `users`, `groups`, or a part of the groups such as `groups/2` */
  feed: string;
}

/** Names a feed of any tenant */
export function keyOf({ tenant, feed }: FeedKey): string {
  return `${tenant}/${feed}`;
}

/** How far a feed is */
export interface FeedState extends FeedKey {
  /** Of the feed since it was made: the numbers of one that is made anew begin with the first again */
  generation: string;
  format: number;
  /** Number of the last write: whoever writes next names it, or is too late */
  revision: number;
  /** Number of the last write that changed rows of the complete load */
  changed: number;
  /** The load that counts; 0 before the first one is complete */
  load: number;
  /** The load that is under way; 0 for none */
  staged: number;
  /** Object ids of the groups that are asked for; all of them where there are none */
  scope: readonly string[] | null;
  /** Where to ask for what has changed, also since a load that is whole and not swapped to yet; not to be logged */
  link: string | null;
  /** The next page of the load under way */
  stagedLink: string | null;
  stagedPages: number;
  /** Milliseconds since 1970 by the clock of the database, as all moments here */
  stagedSince: number | null;
  /** Rows are what Graph had then, or newer */
  completedAt: number | null;
  /** When the round under way began, which is how old its rows will be at its end; `null` for none */
  roundSince: number | null;
  roundPages: number;
  held: string | null;
  error: string | null;
}

/** What rows of a feed count, as what was read of them before is compared with */
export type Version = Pick<FeedState, 'generation' | 'load' | 'changed'>;

/** Whether the rows are the same */
export function isSame(one: Version | undefined, other: Version): boolean {
  return isSameLoad(one, other) && one?.changed === other.changed;
}

/** Whether they belong to the same load, so that what has changed is all that is new */
export function isSameLoad(one: Version | undefined, other: Version): boolean {
  return one?.generation === other.generation && one.load === other.load;
}

/** The rows of one load */
export interface Load extends FeedKey {
  load: number;
}

/** Another writer was faster: nothing was written */
export class SupersededError extends Error {
  override name = 'SupersededError';
}

/** Whether there are rows, and such as this version can read */
export function isReadable({ load, format }: FeedState): boolean {
  return load > 0 && format <= FORMAT;
}

/** Whether Graph is asked what has changed; otherwise everything is being loaded */
export function isFollowed({ load, link, staged }: FeedState): boolean {
  return load > 0 && link !== null && staged === 0;
}

export function isUsers({ feed }: FeedKey): boolean {
  return feed === USERS;
}

/** Parts of at most `size` */
export function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
