import type { EntraCore, PrincipalHandle } from '../core';
import type { EntraAccess } from '../service/entraAccess';
import { ownersOf, type Owners } from './ownership';
import type { OwnedByPrincipalParams } from './paramsSchema';

/** Principals whose owners are kept at once */
const MAX_KEPT = 10_000;

/** Which owners count as a principal's */
type Question = (core: EntraCore, principal: PrincipalHandle) => string[] | undefined;

/** For what is granted to owners: those that own something */
export const OWNING: Question = (core, principal) => core.owners(principal, { onlyOwning: true });
/** For what is denied to owners: everything that might be one, as the directory may be behind the catalog */
export const POSSIBLE: Question = (core, principal) => core.possibleOwners(principal);

interface Kept {
  /** Of the core, whose policy and keys count as well */
  epoch: number;
  /** The sign-in by its number, not by its handle: handles come round again after 16,384 of them */
  sequence: number;
  /** `undefined` when they are not known */
  owners: Owners;
}

/** The last answer, with everything that it hangs on */
interface Last {
  params: OwnedByPrincipalParams;
  owners: NonNullable<Owners>;
  epoch: number;
  directory: number;
  changes: number;
  /** Seconds since the epoch */
  expiresAt: number;
}

/**
 * The owners that count as a principal's, asked of the core once in an epoch and then looked up: for a single entity a
 * JavaScript Set is faster than any call (docs/decisions/0002).
 */
export class PrincipalOwners {
  readonly #entraAccess: EntraAccess;
  readonly #question: Question;
  readonly #kept = new Map<string, Kept>();
  #last?: Last;

  constructor(entraAccess: EntraAccess, question: Question) {
    this.#entraAccess = entraAccess;
    this.#question = question;
  }

  /**
   * `undefined` for a principal that is not signed in (any more), for a decision by a newer directory or sign-in than is here
   * (which are then got for the next request), and where the owners are not known here: another replica may know groups
   * that this one has still to ask for
   */
  of(params: OwnedByPrincipalParams | undefined): Owners {
    if (!params) return undefined;
    const last = this.#last;
    if (last !== undefined && last.params === params && this.#holds(last)) return last.owners;
    const owners = this.#find(params);
    const session = this.#entraAccess.sessions.current(params.principal);
    this.#last = owners && session ? { params, owners, ...this.#stateOf(session) } : undefined;
    return owners;
  }

  /** Backstage asks about every entity of a page with the same object: whether nothing has happened since the last one */
  #holds(last: Last): boolean {
    const { core, directory, sessions } = this.#entraAccess;
    return (
      core.available &&
      core.epoch === last.epoch &&
      directory.current === last.directory &&
      sessions.unchanged(last.changes, last)
    );
  }

  #stateOf({ expiresAt }: { expiresAt: number }) {
    const { core, directory, sessions } = this.#entraAccess;
    return { expiresAt, epoch: core.epoch, directory: directory.current, changes: sessions.changes };
  }

  #find(params: OwnedByPrincipalParams): Owners {
    const { principal } = params;
    const { core, directory, sessions } = this.#entraAccess;
    const session = sessions.current(principal);
    if (params.epoch > directory.current || params.session > (session?.since ?? 0)) {
      void this.#entraAccess.catchUp(principal, params);
      return undefined;
    }
    if (session?.handle === undefined || !core.available) return undefined;
    const kept = this.#kept.get(principal);
    if (kept && kept.epoch === core.epoch && kept.sequence === session.sequence) return kept.owners;
    return this.#ask(principal);
  }

  #ask(principal: string): Owners {
    const { core, sessions } = this.#entraAccess;
    const owners = this.#entraAccess.about(principal, handle => this.#question(core, handle));
    const session = sessions.current(principal);
    // It may have died of the question: that is no answer to keep.
    if (!session || !core.available) return undefined;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const kept = { epoch: core.epoch, sequence: session.sequence, owners: owners && ownersOf(owners) };
    this.#kept.set(principal, kept);
    return kept.owners;
  }
}
