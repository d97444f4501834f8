/** The CI services of the simulator: their issuers, and the tokens that they give to jobs. */
import type { Claims } from '../tenant/claims';
import { signRaw } from '../tenant/jws';
import type { SigningKey } from '../tenant/keys';
import { CiIssuer, issuerKeys, type IssuerKey } from './issuers';
import { jobOf, type Job } from './jobs';

export interface JobTokenOptions {
  /** Default what the job asks for */
  audience?: string | readonly string[];
  /** Seconds since 1970; default the clock */
  now?: number;
  /** Seconds from `iat` to `exp`; default the service's own */
  lifetime?: number;
  /** Claims to set; `undefined` removes */
  claims?: Claims;
  /** Header members to set; `undefined` removes */
  header?: Record<string, unknown>;
  /** Default the issuer's current key; its `kid` goes into the header */
  signWith?: SigningKey;
}

export class Ci {
  readonly issuers: Readonly<Record<IssuerKey, CiIssuer>>;
  /** Seconds since 1970 */
  readonly clock: () => number;

  constructor(authority: string, clock: () => number) {
    this.clock = clock;
    const entries = issuerKeys.map(key => [key, new CiIssuer(authority, key)] as const);
    this.issuers = Object.fromEntries(entries) as Record<IssuerKey, CiIssuer>;
  }

  /** Makes the keys of issuers ahead of their use, one after the other: all at once would keep everything else waiting */
  async warmUp(issuers: readonly string[]): Promise<void> {
    for (const key of issuerKeys) {
      if (issuers.includes(this.issuers[key].issuer)) await this.issuers[key].keys.warmUp();
    }
  }

  /** A fresh token for a job, given by name or shape */
  mint(job: Job | string, options: JobTokenOptions = {}): string {
    const { issuer: key, audience, lifetime, backdated, claims } = typeof job === 'string' ? jobOf(job) : job;
    const issuer = this.issuers[key];
    const signingKey = options.signWith ?? issuer.keys.current;
    const now = options.now ?? this.clock();
    const header = { typ: 'JWT', alg: 'RS256', kid: signingKey.kid, ...options.header };
    // JSON.stringify leaves out members that are undefined: that is how an override removes one.
    const payload = {
      ...claims(),
      iss: issuer.issuer,
      aud: options.audience ?? audience,
      iat: now,
      ...(backdated !== undefined && { nbf: now - backdated }),
      exp: now + (options.lifetime ?? lifetime),
      ...options.claims,
    };
    return signRaw(JSON.stringify(header), JSON.stringify(payload), signingKey);
  }
}
