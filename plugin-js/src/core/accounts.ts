import { joinedEntries } from './accountEntries';
import { UNAVAILABLE, type CoreLife } from './life';
import type { AccountsReport, Outcome } from './types';
import type { WasmCore } from './wasm';

/** What was told at once, kept for a fresh instance: 24 bytes for each account. Changes add up until all are told */
interface Told {
  all: boolean;
  entries: Uint8Array;
}

const REFUSED = 0xffff_ffff;

/** Changes that are kept apart before they are joined into one */
const MAX_TOLD = 64;

/**
 * Whose account is in force, as `GET /users/delta?$select=accountEnabled,signInSessionsValidFromDateTime` tells it: all of them, and
 * then what changes.
 *
 * From then on, whoever is disabled, deleted or signed out everywhere is refused, whatever token they hold
 * (docs/decisions/0007).
 */
export class Accounts {
  readonly #life: CoreLife;
  /** By tenant: all accounts, and the changes since */
  readonly #told = new Map<string, readonly Told[]>();
  readonly #reports = new Map<string, AccountsReport>();

  constructor(life: CoreLife) {
    this.#life = life;
  }

  /** Takes in `all` accounts of a tenant, or the `changes` since, as {@link accountEntries} writes them */
  take(tenantId: string, what: 'all' | 'changes', entries: readonly Uint8Array[]): Outcome<AccountsReport, string> {
    const now = { all: what === 'all', entries: Buffer.concat(entries) };
    const profile = this.#life.tenant(tenantId);
    if (profile === undefined) return { ok: false, error: 'the tenant is not configured' };
    const before = this.#told.get(tenantId);
    if (!now.all && !before) return { ok: false, error: 'there is nothing to change yet: load all accounts first' };
    const told = now.all ? [now] : joined([...(before ?? []), now]);
    let first = true;
    const telling = (core: WasmCore): Outcome<AccountsReport, string> => {
      // The instance that is told now has all that was before; a fresh one has nothing.
      const missing = first ? [now] : told;
      first = false;
      const outOfForce = missing.map(({ all, entries: each }) => core.set_accounts(profile, all, each)).at(-1);
      if (outOfForce === undefined || outOfForce === REFUSED)
        return { ok: false, error: 'the accounts could not be taken in: load all of them' };
      return { ok: true, value: { outOfForce } };
    };
    const outcome = this.#life.tell(`accounts of ${tenantId}`, telling, UNAVAILABLE.advice as string);
    if (outcome.ok) {
      this.#told.set(tenantId, told);
      this.#reports.set(tenantId, outcome.value);
    }
    return outcome;
  }

  /** What became of the accounts of a tenant */
  report(tenantId: string): AccountsReport | undefined {
    return this.#reports.get(tenantId);
  }
}

/** One after the other they say the same as joined. No more is kept than once for each account that has ever changed */
function joined(told: readonly Told[]): readonly Told[] {
  const [all, ...changes] = told;
  if (all === undefined || changes.length < MAX_TOLD) return told;
  return [all, { all: false, entries: joinedEntries(changes.map(({ entries }) => entries)) }];
}
