import type { EntraAccess } from '../service/entraAccess';
import type { OwnedByPrincipalParams } from './paramsSchema';

/** Principals whose owners are kept at once */
const MAX_KEPT = 10_000;

interface Kept {
  epoch: number;
  handle: number;
  owners: ReadonlySet<string>;
}

/**
 * The owners that count as a principal's, asked of the core once in an epoch and then looked up: for a single entity a
 * JavaScript Set is faster than any call (docs/decisions/0002).
 */
export class PrincipalOwners {
  readonly #entraAccess: EntraAccess;
  readonly #kept = new Map<string, Kept>();

  constructor(entraAccess: EntraAccess) {
    this.#entraAccess = entraAccess;
  }

  /** `undefined` for a principal that is not signed in (any more), and for a decision of a later epoch than is known here */
  of(params: OwnedByPrincipalParams | undefined): ReadonlySet<string> | undefined {
    if (!params) return undefined;
    const { principal, epoch } = params;
    const { core, sessions } = this.#entraAccess;
    const handle = sessions.find(principal);
    if (handle === undefined || epoch > core.epoch || !core.available) return undefined;
    const kept = this.#kept.get(principal);
    if (kept && kept.epoch === core.epoch && kept.handle === handle) return kept.owners;
    return this.#ask(principal);
  }

  #ask(principal: string): ReadonlySet<string> | undefined {
    const { core, sessions } = this.#entraAccess;
    const ask = (handle = sessions.find(principal)) =>
      handle === undefined ? undefined : core.owners(handle, { onlyOwning: true });
    // The core may have given the handle up to make room.
    const owners = ask() ?? ask(sessions.renew(principal));
    const handle = sessions.find(principal);
    if (!owners || handle === undefined) return undefined;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const kept = { epoch: core.epoch, handle, owners: new Set(owners) };
    this.#kept.set(principal, kept);
    return kept.owners;
  }
}
