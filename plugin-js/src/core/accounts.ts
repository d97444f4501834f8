import { readAccounts } from './accountPages';
import { UNAVAILABLE, type CoreLife } from './life';
import type { AccountsPage, AccountsReport, Outcome } from './types';
import type { WasmCore } from './wasm';

/** The entries of one loading, kept for a fresh instance: 24 bytes each. Changes add up until all are loaded */
interface Load {
  all: boolean;
  entries: Uint8Array;
}

const REFUSED = 0xffff_ffff;

/** Changes that are kept apart before they are joined into one */
const MAX_LOADS = 64;

/**
 * Whose account is in force: pages of `GET /users/delta?$select=accountEnabled,signInSessionsValidFromDateTime`, all of them and then
 * what changes.
 *
 * From the commit on, whoever is disabled, deleted or signed out everywhere is refused, whatever token they hold
 * (docs/decisions/0007).
 */
export class Accounts {
  readonly #life: CoreLife;
  /** By tenant: a full loading, and the changes since */
  readonly #loads = new Map<string, readonly Load[]>();
  readonly #reports = new Map<string, AccountsReport>();

  constructor(life: CoreLife) {
    this.#life = life;
  }

  /** Begins to load `all` accounts of a tenant, or the `changes` since */
  begin(tenantId: string, what: 'all' | 'changes'): Outcome<AccountsLoading, string> {
    const all = what === 'all';
    const profile = this.#life.tenant(tenantId);
    if (profile === undefined) return { ok: false, error: 'the tenant is not configured' };
    if (!all && !this.#loads.has(tenantId))
      return { ok: false, error: 'there is nothing to change yet: load all accounts first' };
    return { ok: true, value: new AccountsLoading(entries => this.#commit(tenantId, profile, { all, entries })) };
  }

  /** What became of the last loading of a tenant */
  report(tenantId: string): AccountsReport | undefined {
    return this.#reports.get(tenantId);
  }

  #commit(tenantId: string, profile: number, load: Load): Outcome<AccountsReport, string> {
    const loads = load.all ? [load] : joined([...(this.#loads.get(tenantId) ?? []), load]);
    let first = true;
    const telling = (core: WasmCore): Outcome<AccountsReport, string> => {
      // The instance that is told now has all that was before; a fresh one has nothing.
      const missing = first ? [load] : loads;
      first = false;
      const outOfForce = missing.map(({ all, entries }) => core.set_accounts(profile, all, entries)).at(-1) ?? REFUSED;
      if (outOfForce === REFUSED) return { ok: false, error: 'the accounts could not be taken in: load all of them' };
      return { ok: true, value: { outOfForce } };
    };
    const outcome = this.#life.tell(`accounts of ${tenantId}`, telling, UNAVAILABLE.advice as string);
    if (outcome.ok) {
      this.#loads.set(tenantId, loads);
      this.#reports.set(tenantId, outcome.value);
    }
    return outcome;
  }
}

/** Accounts on their way into the directory: nothing counts before {@link commit} */
export class AccountsLoading {
  readonly #take: (entries: Uint8Array) => Outcome<AccountsReport, string>;
  #pages?: Uint8Array[] = [];

  constructor(take: (entries: Uint8Array) => Outcome<AccountsReport, string>) {
    this.#take = take;
  }

  /** Reads a page, as Microsoft Graph sent it. After an error the loading is given up: a part is not the whole */
  add(page: Uint8Array): Outcome<AccountsPage, string> {
    if (!this.#pages) return OVER;
    const outcome = readAccounts(page);
    if (!outcome.ok) {
      this.#pages = undefined;
      return outcome;
    }
    const { entries, ...report } = outcome.value;
    this.#pages.push(entries);
    return { ok: true, value: report };
  }

  /** Swaps to what was loaded; a fresh instance of the core is told the same again */
  commit(): Outcome<AccountsReport, string> {
    if (!this.#pages) return OVER;
    const entries = Buffer.concat(this.#pages);
    this.#pages = undefined;
    return this.#take(entries);
  }
}

const OVER = { ok: false, error: 'nothing is being loaded: begin first' } as const;

/** One after the other they say the same as joined, as what a later one says counts more */
function joined(loads: readonly Load[]): readonly Load[] {
  const [all, ...changes] = loads;
  if (all === undefined || changes.length < MAX_LOADS) return loads;
  return [all, { all: false, entries: Buffer.concat(changes.map(({ entries }) => entries)) }];
}
