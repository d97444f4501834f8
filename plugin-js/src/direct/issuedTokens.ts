import type { DiscoveryService } from '@backstage/backend-plugin-api';
import { AuthenticationError } from '@backstage/errors';
import { tokenTypes } from '@backstage/plugin-auth-node';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';

const TYPES: readonly unknown[] = [tokenTypes.user.typParam, tokenTypes.limitedUser.typParam];

/**
 * Proves that a user token is one of Backstage's, by the keys that the auth backend publishes.
 *
 * Backstage does so itself, but later. Here it is needed only for those few that are about to be refused: a made-up one must not tell
 * whose account it names is out of force, nor be written down as that person's.
 */
export class IssuedTokens {
  readonly #discovery: Pick<DiscoveryService, 'getBaseUrl'>;
  readonly #keys = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

  constructor(discovery: Pick<DiscoveryService, 'getBaseUrl'>) {
    this.#discovery = discovery;
  }

  /**
   * `false` for what Backstage does not take for a user token.
   * @throws AuthenticationError, in the words of Backstage, where the proof fails or there are no keys to make it with: whoever is to
   * be refused does not pass
   */
  async proves(token: string): Promise<boolean> {
    if (!isUserToken(token)) return false;
    try {
      await jwtVerify(token, await this.#published(), { requiredClaims: ['iat', 'exp', 'sub'] });
    } catch {
      throw new AuthenticationError('Failed user token verification');
    }
    return true;
  }

  async #published(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const url = `${await this.#discovery.getBaseUrl('auth')}/.well-known/jwks.json`;
    const keys = this.#keys.get(url) ?? createRemoteJWKSet(new URL(url));
    // There is one address, or a few that take turns.
    if (this.#keys.size > 100) this.#keys.clear();
    this.#keys.set(url, keys);
    return keys;
  }
}

/** As Backstage tells them from others */
function isUserToken(token: string): boolean {
  try {
    return TYPES.includes(decodeProtectedHeader(token).typ) || decodeJwt(token).aud === tokenTypes.user.audClaim;
  } catch {
    return false;
  }
}
