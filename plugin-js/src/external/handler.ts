import type { ExternalTokenHandler } from '@backstage/backend-defaults/auth';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { refusedToken } from '../audit/callers';
import { TokenRejectedError, type Principal } from '../core';
import { described } from '../auth/described';
import { actingSubject } from '../service/actingSubject';
import type { EntraAccess } from '../service/entraAccess';
import { unverifiedClaims } from '../service/unverified';
import { readClients, TYPE } from './entries';

/**
 * Lets applications in as service principals, which no policy is asked about: only the restrictions of their entry hold.
 *
 * A token that is not an app-only token of a listed client is nobody's here, and nothing is thrown for it: an exception
 * would keep it from all handlers after this one.
 */
export class EntraTokenHandler implements ExternalTokenHandler<ReadonlySet<string>> {
  readonly type = TYPE;
  readonly #entraAccess: EntraAccess;
  readonly #logger: Pick<LoggerService, 'debug'>;
  readonly #issuers: ReadonlySet<string>;

  constructor(options: { entraAccess: EntraAccess; logger: Pick<LoggerService, 'debug'> }) {
    this.#entraAccess = options.entraAccess;
    this.#logger = options.logger;
    this.#issuers = new Set(options.entraAccess.core.issuers.map(({ issuer }) => issuer));
  }

  initialize({ options }: { options: { get(): unknown } }): ReadonlySet<string> {
    return readClients(options.get());
  }

  /** @throws TokenRejectedError when a token of a listed client is refused */
  async verifyToken(token: string, clients: ReadonlySet<string>): Promise<{ subject: string } | undefined> {
    const claims = unverifiedClaims(token);
    if (claims?.issuer === undefined || !this.#issuers.has(claims.issuer)) return undefined;
    if (!claims.clients.some(client => clients.has(client))) return undefined;
    if (!claims.appOnly) {
      this.#logger.debug('a token of a listed client acts for a person; the external token handler leaves it alone');
      return undefined;
    }
    const { principal } = await described(this.#entraAccess, await this.#entraAccess.verify(token));
    // Now that it is proved. An agent is never more than the policy allows it: no service principal.
    if (principal.kind !== 'workload') {
      throw await this.#refused(
        principal,
        'token_kind_not_allowed',
        'an agent is judged by the policy: take its client off `backend.auth.externalAccess`',
      );
    }
    if (principal.clientId === null || !clients.has(principal.clientId)) {
      const advice = 'the client is not listed under `backend.auth.externalAccess`';
      throw await this.#refused(principal, 'client_not_allowed', advice);
    }
    return { subject: actingSubject(principal) };
  }

  /** Whose token it is has been proved by then */
  #refused(
    principal: Principal,
    code: 'token_kind_not_allowed' | 'client_not_allowed',
    advice: string,
  ): Promise<Error> {
    const answer = { ok: false, code, advice } as const;
    return this.#entraAccess.refuse(new TokenRejectedError(answer), refusedToken(answer, principal));
  }
}
