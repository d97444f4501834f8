import { UNAVAILABLE, type Alive, type CoreLife } from './life';
import { REFUSED, type Tokens } from './tokens';
import type { Authentication, Purpose } from './types';

/** No ticket: the core has no room for another signature, or has not answered yet */
const NONE = 0xffff_ffff;

/** A token whose signature is being checked */
interface Asked {
  readonly token: string;
  readonly purpose: Purpose;
  readonly now: number;
  readonly epoch: number;
  readonly alive: Alive;
  readonly resolve: (answer: Authentication) => void;
  ticket: number;
}

/**
 * Judges tokens with their signatures checked in Node's thread pool.
 *
 * All of them, also while the pool is busy: a signature checked in this thread keeps it from handing over the next ones
 * (docs/decisions/0004-signatures-in-the-pool.md).
 */
export class PooledTokens {
  readonly #life: CoreLife;
  readonly #tokens: Tokens;

  constructor(life: CoreLife, tokens: Tokens) {
    this.#life = life;
    this.#tokens = tokens;
  }

  /** The answer from memory, or else by judging */
  judge(token: string, purpose: Purpose): Promise<Authentication> {
    const known = this.#tokens.remembered(token, purpose);
    if (known !== undefined) return Promise.resolve(known);
    const { alive, epoch } = this.#life;
    if (alive === undefined) return Promise.resolve(UNAVAILABLE);
    return new Promise(resolve => {
      const asked = { token, purpose, now: this.#tokens.now(), epoch, alive, resolve, ticket: NONE };
      const early = this.#life.ask(() => this.#begin(asked), UNAVAILABLE);
      if (early !== undefined) resolve(early);
    });
  }

  /** The answer, where none has to be waited for */
  #begin(asked: Asked): Authentication | undefined {
    const { alive, token, purpose, now } = asked;
    // `prepare` may trap after it has asked for the signature: what it calls is called all the same.
    const done = (error: unknown, fits: boolean) => this.#end(asked, !error && fits === true);
    const answer = alive.core.prepare(alive.token.write(token), purpose === 'sign-in', now, done);
    if (answer === NONE) return this.#tokens.judge(token, purpose);
    if (answer >= REFUSED) return this.#tokens.read(alive, answer, token, purpose, now);
    asked.ticket = answer;
    return undefined;
  }

  #end(asked: Asked, fits: boolean): void {
    // A ticket means nothing to another instance.
    const answered = this.#life.alive === asked.alive;
    asked.resolve(answered ? this.#life.ask(() => this.#answer(asked, fits), UNAVAILABLE) : UNAVAILABLE);
  }

  #answer({ alive, epoch, ticket, token, purpose, now }: Asked, fits: boolean): Authentication {
    if (this.#life.epoch === epoch) {
      return this.#tokens.read(alive, alive.core.finish(ticket, fits, now), token, purpose, now);
    }
    // Prepared with keys that may be gone by now: the ticket is given back, the token judged by what holds now.
    alive.core.finish(ticket, false, now);
    return this.#tokens.judge(token, purpose);
  }
}
