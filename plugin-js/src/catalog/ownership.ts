import type { EntraAccess } from '../service/entraAccess';
import type { OwnedByPrincipalParams } from './paramsSchema';
import { OWNING, POSSIBLE, PrincipalOwners } from './principalOwners';

/** The owners that count as a principal's; `undefined` where they are not known, which is neither yes nor no */
export type Owners = (Iterable<string> & Pick<ReadonlySet<string>, 'has' | 'size'>) | undefined;

/** So many texts are compared faster than one is hashed */
const FEW = 4;

/** What is looked up for each entity of a page */
export function ownersOf(owners: readonly string[]): Owners {
  if (owners.length > FEW) return new Set(owners);
  return {
    size: owners.length,
    has: owner => owners.includes(owner),
    [Symbol.iterator]: () => owners[Symbol.iterator](),
  };
}

/**
 * Who owns what, asked in one go as Backstage's rules are: it cannot wait. Nobody answers for a decision that was made by
 * something newer than what is at hand.
 */
export interface Ownership {
  /** For what is granted to owners: those that own something */
  owning(params: OwnedByPrincipalParams | undefined): Owners;
  /** For what is denied to owners: everything that might be one */
  possible(params: OwnedByPrincipalParams | undefined): Owners;
}

/** By the sessions and the directory of this process */
export function ownershipHere(entraAccess: EntraAccess): Ownership {
  const owning = new PrincipalOwners(entraAccess, OWNING);
  const possible = new PrincipalOwners(entraAccess, POSSIBLE);
  return { owning: params => owning.of(params), possible: params => possible.of(params) };
}
