import type { CoreClock } from './coreClock';
import { handleOf } from './handles';
import { UNAVAILABLE, type Alive, type CoreLife } from './life';
import type { Authentication, Purpose } from './types';

/** Tells a refusal from the number of a principal, or of a token whose signature is being checked */
export const REFUSED = 0x8000_0000;

/**
 * Puts tokens to the core, and remembers those that it accepted.
 *
 * The way of every request: no closure, no object that is not handed out.
 */
export class Tokens {
  readonly #life: CoreLife;
  readonly #clock: CoreClock;

  constructor(life: CoreLife, clock: CoreClock) {
    this.#life = life;
    this.#clock = clock;
  }

  /** The answer from memory */
  remembered(token: string, purpose: Purpose): Authentication | undefined {
    const { now } = this.#clock;
    const { alive } = this.#life;
    if (alive === undefined || alive.cache === undefined || purpose !== 'access') return undefined;
    return alive.cache.find(token, now);
  }

  /** The answer from memory, or else by judging */
  judge(token: string, purpose: Purpose): Authentication {
    const known = this.remembered(token, purpose);
    return known === undefined ? this.#judgeAnew(token, purpose) : known;
  }

  #judgeAnew(token: string, purpose: Purpose): Authentication {
    const now = this.#clock.seconds;
    const { alive } = this.#life;
    if (alive === undefined) return UNAVAILABLE;
    try {
      const answer = alive.core.authenticate(alive.token.write(token), purpose === 'sign-in', now);
      return this.read(alive, answer, token, purpose, now);
    } catch (error) {
      this.#life.trapped(alive, error);
      return UNAVAILABLE;
    }
  }

  /** What the core's number says */
  read(alive: Alive, answer: number, token: string, purpose: Purpose, now: number): Authentication {
    if (answer < REFUSED) {
      const accepted: Authentication = { ok: true, principal: handleOf(this.#life.instance, answer) };
      if (alive.cache !== undefined) {
        // Zero where the answer must not be kept: each time a token is offered that counts once, it has to be claimed.
        const until = purpose === 'access' ? alive.core.cacheable_until(answer, now) : 0;
        alive.cache.admitted(token, accepted, until === 0 ? undefined : until * 1000);
      }
      return accepted;
    }
    const [code, advice] = this.#life.codes[answer & 0xff] ?? ['token_malformed' as const, ''];
    return { ok: false, code, advice, issuer: this.#life.issuers[((answer >>> 8) & 0xffff) - 1] };
  }
}
