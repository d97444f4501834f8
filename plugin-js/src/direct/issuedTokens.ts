import type { DiscoveryService, LoggerService } from '@backstage/backend-plugin-api';
import { AuthenticationError, ServiceUnavailableError } from '@backstage/errors';
import { tokenTypes } from '@backstage/plugin-auth-node';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import { errorWord } from '../service/errorWord';
import { NoKeysError, PublishedKeys } from './publishedKeys';

const TYPES: readonly unknown[] = [tokenTypes.user.typParam, tokenTypes.limitedUser.typParam];

/** What proving needs */
export interface IssuedTokensOptions {
  discovery: Pick<DiscoveryService, 'getBaseUrl'>;
  logger: Pick<LoggerService, 'warn'>;
  /** Who refuses where there are no keys */
  refusals: Pick<EntraAccess, 'refuse'>;
}

/**
 * Proves that a user token is one of Backstage's, by the keys that the auth backend publishes.
 *
 * Backstage does so itself, but later. Here it is needed only for those few that are about to be refused: a made-up one must not tell
 * whose account it names is out of force, nor be written down as that person's.
 */
export class IssuedTokens {
  readonly #options: IssuedTokensOptions;
  readonly #keys: PublishedKeys;

  constructor(options: IssuedTokensOptions) {
    this.#options = options;
    const auth = () => options.discovery.getBaseUrl('auth');
    this.#keys = new PublishedKeys(async () => `${await auth()}/.well-known/jwks.json`);
  }

  /**
   * `false` for what Backstage does not take for a user token.
   * @throws AuthenticationError, in the words of Backstage, where the proof fails, and ServiceUnavailableError `sign_in_unavailable`
   * where there are no keys to make it with: whoever is to be refused does not pass
   */
  async proves(token: string): Promise<boolean> {
    if (!isUserToken(token)) return false;
    const { logger, refusals } = this.#options;
    try {
      await jwtVerify(token, (header, parts) => this.#keys.key(header, parts), {
        requiredClaims: ['iat', 'exp', 'sub'],
      });
    } catch (error) {
      if (error instanceof NoKeysError) {
        const reason = `the auth backend's keys for user tokens cannot be got (${error.message})`;
        const unavailable = coded('sign_in_unavailable', new ServiceUnavailableError(reason));
        throw await refusals.refuse(unavailable, { event: 'token-refused', result: 'DENY' });
      }
      // No more than the kind: errors of jose carry what the token says.
      logger.warn(`Failed to verify incoming user token (${errorWord(error, 'failed')})`);
      throw new AuthenticationError('Failed user token verification');
    }
    return true;
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
