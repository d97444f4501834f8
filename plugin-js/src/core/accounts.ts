import type { CoreLife } from './life';
import { Loads, type Loading, type PageKind } from './loads';
import type { AccountsPage, AccountsReport, Outcome, PageReport } from './types';

/** Accounts on their way into the directory */
export type AccountsLoading = Loading<AccountsPage, AccountsReport>;

const NOTHING = 0xffff_ffff;

const ACCOUNTS: PageKind<AccountsPage, AccountsReport> = {
  name: 'accounts',
  begin: (core, tenantId, all) => core.begin_accounts(tenantId, all),
  add(core, page) {
    const outcome = JSON.parse(core.add_accounts(page)) as Outcome<PageReport, string>;
    if (!outcome.ok) return outcome;
    const { groups: accounts, next, delta } = outcome.value;
    return { ok: true, value: { accounts, next, delta } };
  },
  commit(core, tenantId) {
    const changed = core.commit_accounts();
    if (changed === NOTHING) return { ok: false, error: 'nothing is being loaded: begin first' };
    return { ok: true, value: { accounts: core.accounts(tenantId, false), changed } };
  },
};

/**
 * Whose account is in force: pages of `GET /users/delta?$select=accountEnabled,signInSessionsValidFromDateTime`.
 *
 * From {@link Loading.commit} on, whoever is disabled, deleted or signed out everywhere is refused, whatever token they hold.
 */
export class Accounts {
  readonly #life: CoreLife;
  readonly #loads: Loads<AccountsPage, AccountsReport>;

  constructor(life: CoreLife) {
    this.#life = life;
    this.#loads = new Loads(life, ACCOUNTS);
  }

  /** Begins to load `all` accounts of a tenant, or the `changes` since; what is under way is given up */
  begin(tenantId: string, what: 'all' | 'changes'): Outcome<AccountsLoading, string> {
    return this.#loads.begin(tenantId, what);
  }

  /** How many accounts of a tenant are known */
  count(tenantId: string): number {
    return this.#life.ask(({ core }) => core.accounts(tenantId, false), 0);
  }

  /** How many of them are disabled or deleted */
  outOfForce(tenantId: string): number {
    return this.#life.ask(({ core }) => core.accounts(tenantId, true), 0);
  }
}
