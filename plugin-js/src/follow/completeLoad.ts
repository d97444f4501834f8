/** Whether everything that Graph has told may take the place of what is known: an answer by mistake must not end what deny rules name */
import { existingGroups } from '../graph/existingGroups';
import { answered } from '../service/answered';
import type { FeedStore } from './feedStore';
import type { FeedState } from './feeds';
import { findMembers } from './memberRows';
import type { FollowedTenant } from './questions';

interface Asked {
  store: FeedStore;
  tenant: FollowedTenant;
  /** From 1 on everything is taken */
  maxRemovedShare: number;
  signal: AbortSignal;
}

/**
 * What is wrong with a load that is complete; `undefined` for one that is taken
 * @throws GraphError, UnansweredError where that cannot be told
 */
export async function wrongWith(state: FeedState, asked: Asked): Promise<string | undefined> {
  const { store, maxRemovedShare } = asked;
  if (maxRemovedShare >= 1) return undefined;
  const { total, common, empty } = await store.common(state);
  const removed = total === 0 ? 0 : 1 - common / total;
  if (removed > maxRemovedShare) return `it lacks ${Math.round(removed * 100)} % of ${total}`;
  if (state.scope === null) return empty && state.load === 0 ? 'Microsoft Graph knows nobody' : undefined;
  const left = await leftOut(state, state.scope, asked);
  return left === 0 ? undefined : `it says nothing of groups that there are (${left})`;
}

/** How many groups Graph was asked for, says nothing of, and has: another tenant's, or one that was deleted long ago, are none */
async function leftOut(state: FeedState, scope: readonly string[], { store, tenant, signal }: Asked): Promise<number> {
  const rows = await answered(findMembers(store.database, { ...state, load: state.staged }, scope));
  const told = new Set(rows.map(({ id }) => id));
  const silent = scope.filter(id => !told.has(id));
  return silent.length === 0 ? 0 : (await existingGroups(tenant, silent, signal)).size;
}
