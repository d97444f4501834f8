import type { OwnershipVersion } from '../service/entraAccess';
import type { Owners } from './ownership';

/** What another process said about a principal */
export interface Kept extends OwnershipVersion {
  /** When it was told, in milliseconds since the epoch */
  at: number;
  /** What need not be asked for again: it was, and this is all there is */
  asked: OwnershipVersion & { until: number };
  /** Of the sign-in, in seconds since the epoch */
  expiresAt: number;
  /** Of the answer, in the words of the other process */
  version?: string;
  /** `undefined`: nobody is signed in, or there was no answer */
  owners?: { owning: Owners; possible: Owners };
}

/** Answers by principal, the one that was given longest ago goes first */
export class KeptOwners {
  readonly #kept = new Map<string, Kept>();
  readonly #maxPrincipals: number;
  readonly #maxOwners: number;
  #owners = 0;

  /** Half a million owners are some 50 MB */
  constructor({ maxPrincipals = 10_000, maxOwners = 500_000 } = {}) {
    this.#maxPrincipals = maxPrincipals;
    this.#maxOwners = maxOwners;
  }

  /** Number of principals */
  get size(): number {
    return this.#kept.size;
  }

  get(principal: string): Kept | undefined {
    return this.#kept.get(principal);
  }

  set(principal: string, kept: Kept): void {
    this.delete(principal);
    // Last in the order of the Map.
    this.#kept.set(principal, kept);
    this.#owners += ownersIn(kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#maxPrincipals && this.#owners <= this.#maxOwners) break;
      this.delete(oldest);
    }
  }

  delete(principal: string): void {
    const kept = this.#kept.get(principal);
    if (!kept) return;
    this.#kept.delete(principal);
    this.#owners -= ownersIn(kept);
  }
}

function ownersIn({ owners }: Kept): number {
  return (owners?.owning?.size ?? 0) + (owners?.possible?.size ?? 0);
}
