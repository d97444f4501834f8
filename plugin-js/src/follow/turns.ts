import { isFollowed, type FeedState } from './feeds';
import type { Time } from './pages';

/**
 * Feeds in the order in which one run asks for them. What has changed is a page, and a load may be many: so it comes first, what was
 * asked longest ago before the rest, as a tenant is as old as its oldest feed. With many feeds that may take all of a run: loads
 * begin when half of it is over
 */
export function* inTurns(feeds: readonly FeedState[], time: Pick<Time, 'halfOver'>): Generator<FeedState> {
  const followed = feeds.filter(isFollowed).sort((a, b) => (a.completedAt ?? 0) - (b.completedAt ?? 0));
  const loads = feeds.filter(feed => !isFollowed(feed));
  // One that fails may take all the time that there is.
  loads.sort((a, b) => Number(a.error !== null) - Number(b.error !== null));
  while (followed.length > 0 && !(time.halfOver && loads.length > 0)) yield followed.shift() as FeedState;
  yield* loads;
  yield* followed;
}
