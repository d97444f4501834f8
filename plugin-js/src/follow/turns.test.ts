import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedState } from './feeds';
import { inTurns } from './turns';

const followed = (feed: string, completedAt: number | null) =>
  ({ feed, load: 1, link: 'link', staged: 0, completedAt, error: null }) as FeedState;
const loading = (feed: string, error: string | null = null) =>
  ({ feed, load: 0, link: null, staged: 0, completedAt: null, error }) as FeedState;

const FEEDS = [loading('l1', 'failed'), followed('f1', 30), followed('f2', 10), loading('l2'), followed('f3', null)];

/** The order where half of the time is over after so many feeds */
function order(feeds: readonly FeedState[], half: number): string[] {
  const time = { halfOver: half === 0 };
  const names: string[] = [];
  for (const { feed } of inTurns(feeds, time)) {
    names.push(feed);
    time.halfOver = names.length >= half;
  }
  return names;
}

test('what was asked longest ago is asked first, and loads when half of the time is over', () => {
  assert.deepEqual(order(FEEDS, 9), ['f3', 'f2', 'f1', 'l2', 'l1']);
  assert.deepEqual(order(FEEDS, 1), ['f3', 'l2', 'l1', 'f2', 'f1']);
  assert.deepEqual(order(FEEDS, 0), ['l2', 'l1', 'f3', 'f2', 'f1']);
  assert.deepEqual(order(FEEDS.slice(1, 3), 0), ['f2', 'f1'], 'without loads all of it is theirs');
});

test('where a run has time for one feed only, each has its turn', () => {
  const feeds = Array.from({ length: 5 }, (_, at) => followed(`f${at}`, 0));
  const asked = new Set<string>();
  for (let run = 1; run <= feeds.length; run += 1) {
    const [first] = inTurns(feeds, { halfOver: false });
    assert.ok(first);
    first.completedAt = run;
    asked.add(first.feed);
  }
  assert.equal(asked.size, feeds.length);
});
