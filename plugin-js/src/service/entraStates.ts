import type { EntraCore } from '../core';

/** How far a tenant is known, where the directory of Entra is followed */
export interface EntraState {
  tenant: string;
  /** Too old, not loaded yet, or of a time that has not come: groups are unknown */
  stale: boolean;
  /** Since it was last known whole; `undefined` before that */
  ageSeconds?: number;
  error?: string;
}

/** Of each configured tenant; none where groups come with the tokens */
export function entraStates({ freshness, issuers }: Pick<EntraCore, 'freshness' | 'issuers'>): EntraState[] {
  if (freshness.staleAfter === 0) return [];
  const states = new Map(freshness.states.map(state => [state.tenant, state]));
  const tenants = new Set(issuers.flatMap(({ tenantId }) => tenantId || []));
  return [...tenants].map(tenant => {
    const { stale, ageSeconds, error } = states.get(tenant) ?? { stale: true };
    return { tenant, stale, ageSeconds, error };
  });
}
