/** Tokens as Entra mints them, with a handle on everything a test may want to bend. */
import { randomInt } from 'node:crypto';
import { backstageApi } from './applications';
import { accessTokenClaims, idTokenClaims, type Claims } from './claims';
import type { Issuer, TokenVersion } from './issuer';
import { signRaw } from './jws';
import type { SigningKey } from './keys';
import type { Principal, User } from './people';

export interface MintOptions {
  /** Chosen by the API's manifest, not by the endpoint; default 2.0 */
  version?: TokenVersion;
  audience?: string;
  /** Seconds since 1970; default the clock */
  now?: number;
  /** Seconds from `now` to `exp`; default a random one, like Entra's */
  lifetime?: number;
  /** Claims to set; `undefined` removes */
  claims?: Claims;
  /** Header members to set; `undefined` removes */
  header?: Record<string, unknown>;
  /** Default the issuer's current key; its `kid` goes into the header */
  signWith?: SigningKey;
}

export interface IdTokenOptions extends Omit<MintOptions, 'version'> {
  nonce?: string;
}

/** Entra's own range, drawn at random to spread the load of renewal */
const LIFETIME_SECONDS = { min: 60 * 60, max: 90 * 60 };

/** Entra dates tokens back by five minutes for the sake of slow clocks: its samples run 3,900 s, not 3,600 */
const BACKDATED_SECONDS = 5 * 60;

export function mintAccessToken(principal: Principal, issuer: Issuer, options: MintOptions = {}): string {
  const version = options.version ?? '2.0';
  const audience = options.audience ?? (version === '2.0' ? backstageApi.clientId : backstageApi.appIdUri);
  const claims = accessTokenClaims(principal, issuer, version, audience);
  return seal(claims, issuer, version, options);
}

export function mintIdToken(user: User, issuer: Issuer, options: IdTokenOptions = {}): string {
  const audience = options.audience ?? backstageApi.clientId;
  const claims = idTokenClaims(user, issuer, audience, options.nonce ?? 'n-0S6_WzA2Mj');
  return seal(claims, issuer, '2.0', options);
}

function seal(claims: Claims, issuer: Issuer, version: TokenVersion, options: MintOptions): string {
  const key = options.signWith ?? issuer.keys.current;
  const header = {
    typ: 'JWT', // for ID and access tokens alike
    alg: 'RS256',
    ...(version === '1.0' && { x5t: key.kid }),
    kid: key.kid,
    ...options.header,
  };
  // JSON.stringify leaves out members that are undefined: that is how an override removes one.
  const payload = { ...claims, ...times(options), ...options.claims };
  return signRaw(JSON.stringify(header), JSON.stringify(payload), key);
}

function times({ now = Math.floor(Date.now() / 1000), lifetime }: MintOptions): Claims {
  const issued = now - BACKDATED_SECONDS;
  const seconds = lifetime ?? randomInt(LIFETIME_SECONDS.min, LIFETIME_SECONDS.max + 1);
  return { iat: issued, nbf: issued, exp: now + seconds };
}
