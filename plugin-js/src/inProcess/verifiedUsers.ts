import type { AuthService, BackstageCredentials } from '@backstage/backend-plugin-api';
import { isPipelineRef, tokenEnd } from '../service/pipelineLife';
import { unverifiedClaims } from '../service/unverified';

/** Most Backstage tokens remembered; the oldest goes first. About 600 bytes each */
const CAPACITY = 10_000;

/** The entity ref that the auth backend has signed */
interface Verified {
  entityRef: string;
  /** Milliseconds since the epoch */
  until: number;
}

/**
 * Who a user principal is, by the token in its credentials and not by what they say.
 *
 * The permission backend verifies the token of every question; here each token is verified once, by the same service, and what it
 * says holds until it expires.
 */
export class VerifiedUsers {
  readonly #verified = new Map<string, Verified>();
  readonly #clock: () => number;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /** Number of tokens remembered */
  get size(): number {
    return this.#verified.size;
  }

  /** The entity ref; `undefined` for credentials that the permission backend would not take */
  async entityRefOf(auth: AuthService, credentials: BackstageCredentials): Promise<string | undefined> {
    try {
      // What would be handed on to the permission backend.
      const { token, expiresAt } = await auth.getLimitedUserToken(
        credentials as Parameters<AuthService['getLimitedUserToken']>[0],
      );
      const { entityRef, until } = this.#verified.get(token) ?? (await this.#verify(auth, token, expiresAt)) ?? {};
      if (until === undefined || this.#clock() >= until) {
        this.#verified.delete(token);
        return undefined;
      }
      return entityRef;
    } catch {
      return undefined;
    }
  }

  async #verify(auth: AuthService, token: string, expiresAt: Date): Promise<Verified | undefined> {
    const credentials = await auth.authenticate(token, { allowLimitedAccess: true });
    if (!auth.isPrincipal(credentials, 'user')) return undefined;
    const entityRef = credentials.principal.userEntityRef;
    const verified = { entityRef, until: Math.min(expiresAt.getTime(), endOf(entityRef, token)) };
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size < CAPACITY) break;
      this.#verified.delete(oldest);
    }
    this.#verified.set(token, verified);
    return verified;
  }
}

/** Pipelines' tokens count for minutes where they are verified each time, whatever Backstage has written into them */
function endOf(entityRef: string, token: string): number {
  return isPipelineRef(entityRef) ? tokenEnd(unverifiedClaims(token) ?? {}) * 1_000 : Infinity;
}
