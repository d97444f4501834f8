import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import type { DiscoveryService } from '@backstage/backend-plugin-api';
import { AuthenticationError } from '@backstage/errors';
import { notSignedIn, signedIn } from '../audit/callers';
import { described } from '../auth/described';
import type { Principal, PrincipalHandle } from '../core';
import { coded } from '../service/coded';
import { directCallOf, noteCall } from '../service/directCall';
import type { EntraAccess } from '../service/entraAccess';
import { isPipelineRef, tokenEnd } from '../service/pipelineLife';
import { unverifiedClaims, type Claimed } from '../service/unverified';
import { signInAtAuthBackend } from './authBackend';
import type { UserToken, UserTokens } from './userTokens';

/** A Backstage token is got anew so many seconds before it ends, so that what it begins can be finished */
const MARGIN_SECONDS = 60;

/**
 * Who acts for the user: nobody. Backstage makes no `principal.actor` of it, by which it tells plugins that call on behalf of users
 * from the users themselves: the former may have conditions applied that no permission is asked about.
 */
const NOBODY_ELSE = '';

/** What direct calls need; `userTokens` is shared by all plugins of a backend */
export interface DirectCallOptions {
  entraAccess: EntraAccess;
  discovery: Pick<DiscoveryService, 'getBaseUrl'>;
  userTokens: UserTokens;
}

/** Whoever is asked about all other tokens, and need not read them again */
type Inner = Omit<PluginTokenHandler, 'verifyToken'> & {
  verifyToken(token: string, read?: Claimed): ReturnType<PluginTokenHandler['verifyToken']>;
};

/**
 * Lets every plugin take the access tokens of our issuers: whoever brings one is answered as the user principal that they
 * would be after signing in. Any other token passes to the inner handler as it is.
 */
export class DirectCalls implements PluginTokenHandler {
  readonly #inner: Inner;
  readonly #options: DirectCallOptions;
  readonly #issuers: ReadonlySet<string>;

  constructor(inner: Inner, options: DirectCallOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#issuers = new Set(options.entraAccess.core.issuers.map(({ issuer }) => issuer));
  }

  issueToken(options: Parameters<PluginTokenHandler['issueToken']>[0]): ReturnType<PluginTokenHandler['issueToken']> {
    return this.#inner.issueToken(options);
  }

  async verifyToken(token: string): ReturnType<PluginTokenHandler['verifyToken']> {
    const known = this.#options.userTokens.has(token);
    const claims = known ? undefined : unverifiedClaims(token);
    if (!known && !this.#isOurs(claims)) return this.#inner.verifyToken(token, claims);
    // Refused or not, it ends here: no other handler gets to see a token of ours.
    const principal = await this.#judge(token);
    const user = await ((await this.#countsOnce(token, principal)) ? this.#onlyOnce(token) : this.#userToken(token));
    const call = directCallOf(this.#options.entraAccess, token, user.entityRef);
    if (call) noteCall(call);
    return { subject: NOBODY_ELSE, limitedUserToken: user.token };
  }

  #isOurs(claims?: Claimed): boolean {
    if (claims?.issuer === undefined || !this.#issuers.has(claims.issuer)) return false;
    // Left to the external token handler, which asks the same core.
    const { externalClients } = this.#options.entraAccess;
    return !(claims.appOnly && claims.clients.some(client => externalClients.has(client)));
  }

  /** At every call: the core remembers the token, so it costs little and ends at once when the token or its key does */
  async #judge(token: string): Promise<PrincipalHandle> {
    try {
      return await this.#options.entraAccess.verify(token);
    } catch (error) {
      this.#options.userTokens.drop(token);
      throw error;
    }
  }

  async #userToken(token: string): Promise<UserToken> {
    const { entraAccess, userTokens } = this.#options;
    const exchange = () => this.#exchange(token);
    const user = await userTokens.get(token, exchange);
    // Without the sign-in behind it everything would be denied; it may have happened in another process.
    await entraAccess.ensure(user.entityRef);
    return entraAccess.knows(user.entityRef) ? user : userTokens.replace(token, user, exchange);
  }

  /** Whether this is a single-use token: none of those is ever kept, so for a token that is kept nobody need ask */
  async #countsOnce(token: string, principal: PrincipalHandle): Promise<boolean> {
    const { entraAccess, userTokens } = this.#options;
    if (userTokens.has(token)) return false;
    return (await described(entraAccess, principal)).principal.pipeline?.singleUse !== undefined;
  }

  /** One exchange for one call: the auth backend, which claims the use, refuses the second */
  async #onlyOnce(token: string): Promise<UserToken> {
    const { entraAccess } = this.#options;
    const user = await this.#exchange(token);
    await entraAccess.ensure(user.entityRef);
    if (!entraAccess.knows(user.entityRef)) {
      throw await entraAccess.refuse(incomplete('the sign-in is not known here'), notSignedIn(user.entityRef));
    }
    return user;
  }

  async #exchange(token: string): Promise<UserToken> {
    const { entraAccess } = this.#options;
    const { principal } = await described(entraAccess, await entraAccess.verify(token));
    try {
      return await this.#signIn(token, principal);
    } catch (error) {
      // What the auth backend refuses it has recorded.
      const { code = 'sign_in_incomplete' } = error as { code?: string };
      throw await entraAccess.refuse(error as Error, signedIn(principal, undefined, code));
    }
  }

  async #signIn(token: string, principal: Principal): Promise<UserToken> {
    const userToken = await signInAtAuthBackend(this.#options.discovery, token);
    const claims = unverifiedClaims(userToken);
    const { subject: entityRef, expires } = claims ?? {};
    if (claims === undefined || entityRef === undefined || expires === undefined) {
      throw incomplete('the issued token has no subject or no expiry');
    }
    const end = isPipelineRef(entityRef) ? tokenEnd(claims) : expires;
    // One that ends with the token that it was got for cannot be had any longer.
    const until = end === principal.expiresAt ? end : Math.min(principal.expiresAt, end - MARGIN_SECONDS);
    return { token: userToken, entityRef, until };
  }
}

function incomplete(message: string): Error {
  return coded('sign_in_incomplete', new AuthenticationError(message));
}
