import type { KeyLike } from 'node:crypto';
import type { CoreClock } from './coreClock';
import { UNAVAILABLE, type Alive, type CoreLife } from './life';
import { SignatureThreads } from './signatureThreads';
import { REFUSED, type Tokens } from './tokens';
import type { Authentication, Purpose } from './types';
import type { SignatureChecks } from './wasm';

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
 * Judges tokens with their signatures checked in other threads.
 *
 * All of them, also while those are busy: a signature checked in this thread keeps it from handing over the next ones
 * (docs/decisions/0004-signatures-in-threads.md).
 */
export class ThreadedTokens implements SignatureChecks {
  readonly #life: CoreLife;
  readonly #tokens: Tokens;
  readonly #clock: CoreClock;
  readonly #threads = new SignatureThreads<Asked>({
    done: (asked, fits) => this.#end(asked, fits),
    lost: why =>
      this.#life.degraded(`the threads that check signatures are lost (${why}); Node's thread pool checks them now`),
  });
  /** What the core is looking at */
  #reading?: Asked;

  constructor(life: CoreLife, tokens: Tokens, clock: CoreClock) {
    this.#life = life;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Whether the threads run; until then signatures are checked in Node's pool */
  get threaded(): boolean {
    return this.#threads.running;
  }

  /** The answer from memory, or else by judging */
  judge(token: string, purpose: Purpose): Promise<Authentication> {
    const known = this.#tokens.remembered(token, purpose);
    if (known !== undefined) return Promise.resolve(known);
    const { alive, epoch } = this.#life;
    if (alive === undefined) return Promise.resolve(UNAVAILABLE);
    return new Promise(resolve => {
      const asked = { token, purpose, now: this.#clock.seconds, epoch, alive, resolve, ticket: NONE };
      const early = this.#begin(asked);
      if (early !== undefined) resolve(early);
    });
  }

  /** What the core calls with the signature of the token that it is looking at */
  check(digest: string, letters: number, key: unknown, signature: Uint8Array): void {
    this.#threads.check(this.#reading!, digest, letters, key as KeyLike, signature);
  }

  /** Ends the threads */
  close(): void {
    this.#threads.close();
  }

  /** The answer, where none has to be waited for */
  #begin(asked: Asked): Authentication | undefined {
    const { alive, token, purpose, now } = asked;
    try {
      this.#reading = asked;
      // `prepare` may trap after it has asked for the signature: of that the threads tell all the same.
      const answer = alive.core.prepare(alive.token.write(token), purpose === 'sign-in', now, this);
      if (answer === NONE) return this.#tokens.judge(token, purpose);
      if (answer >= REFUSED) return this.#tokens.read(alive, answer, token, purpose, now);
      asked.ticket = answer;
      return undefined;
    } catch (error) {
      this.#life.trapped(alive, error);
      return UNAVAILABLE;
    }
  }

  #end(asked: Asked, fits: boolean): void {
    // Time has passed since it was asked; and a ticket means nothing to another instance.
    this.#clock.look();
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
