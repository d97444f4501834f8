import type { DatabaseService } from '@backstage/backend-plugin-api';

export type Database = Awaited<ReturnType<DatabaseService['getClient']>>;

/** Of the rows that this version writes and reads; to be changed with their meaning, so that two versions can run side by side */
export const FORMAT = 1;

export const USERS = 'users';

/** A delta query of one tenant; its groups may be spread over several */
export interface FeedKey {
  tenant: string;
  /** `users`, `groups`, or a part of the groups such as `groups/2` */
  feed: string;
}

/** How far a feed is */
export interface FeedState extends FeedKey {
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
  /** Where to ask for what has changed; not to be logged */
  link: string | null;
  /** The next page of the load under way */
  stagedLink: string | null;
  stagedPages: number;
  /** Milliseconds since 1970 by the clock of the database, as all moments here */
  stagedSince: number | null;
  /** Rows are what Graph had then, or newer */
  completedAt: number | null;
  held: string | null;
  error: string | null;
}

/** The rows of one load */
export interface Load extends FeedKey {
  load: number;
}

/** Another writer was faster: nothing was written */
export class SupersededError extends Error {
  override name = 'SupersededError';
}

export function isUsers({ feed }: FeedKey): boolean {
  return feed === USERS;
}

/** Parts of at most `size` */
export function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
