/** What a feed asks Microsoft Graph, and what its answers mean */
import { groupsDelta, usersDelta, type GraphTenant } from '../graph/addresses';
import type { DeltaPage, GraphClient } from '../graph/graphClient';
import { GraphError } from '../graph/graphError';
import { readGroups, readUsers, type AccountChange, type GroupChange } from './deltaPages';
import { isUsers, type FeedState } from './feeds';
import { EndlessError } from './pages';

/** Whom to ask about a tenant */
export interface FollowedTenant {
  graph: GraphTenant;
  client: Pick<GraphClient, 'delta' | 'ask' | 'read'>;
}

/**
 * Whether nothing can be gone on with, so that everything has to be loaded
 * @param link of Graph's own that was asked for; one that it does not take it never will. `null` for an address that we have made
 */
export function isHopeless(error: unknown, link: string | null): error is GraphError {
  if (!(error instanceof GraphError)) return false;
  return error.isTooOld || error instanceof EndlessError || (link !== null && error.isRefused);
}

export function firstPage(graph: GraphTenant, state: FeedState): URL {
  return isUsers(state) ? usersDelta(graph) : groupsDelta(graph, state.scope);
}

export function read(state: FeedState, { json }: DeltaPage): Array<AccountChange | GroupChange> {
  return isUsers(state) ? readUsers(json) : readGroups(json);
}
