import type { Principal } from '../core';
import type { Claimed } from './unverified';

/** Longest life of what a pipeline gets for its token, in seconds; its jobs come again as often as they like */
const MAX_SECONDS = 10 * 60;

/** Kind of the entities that stand for pipelines */
const REF = /^pipeline:/;

/**
 * Claim of a Backstage token that says until when it counts, in seconds since the epoch.
 *
 * Backstage's issuer gives every token the same life and overwrites an `exp` of ours. Limited tokens, which it derives for
 * calls from plugin to plugin, have no claim but `iat` and `exp`: for them the longest life holds, and that of the session.
 */
export const UNTIL_CLAIM = 'entra_access_until';

/** Whether a Backstage token was issued to a pipeline */
export function isPipelineRef(entityRef: string): boolean {
  return REF.test(entityRef);
}

/** Until when the sign-in of a pipeline counts; `undefined` for everybody else, whose Backstage token says it */
export function pipelineEnd(
  { kind, expiresAt }: Pick<Principal, 'kind' | 'expiresAt'>,
  now: number,
): number | undefined {
  return kind === 'pipeline' ? Math.min(expiresAt, now + MAX_SECONDS) : undefined;
}

/** Until when a Backstage token of a pipeline counts; one that says not when it was issued never does */
export function tokenEnd({ issued, expires, until }: Pick<Claimed, 'issued' | 'expires' | 'until'>): number {
  if (issued === undefined || expires === undefined) return 0;
  return Math.min(issued + MAX_SECONDS, expires, until ?? Infinity);
}
