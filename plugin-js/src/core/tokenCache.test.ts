import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mulberry32 } from '../../dev/mulberry32';
import { TokenCache } from './tokenCache';
import type { Authentication, PrincipalHandle } from './types';

const CAPACITY = 16;

interface Admission {
  answer: Authentication;
  until: number;
  number: number;
}

/** Everything that was ever admitted, with nothing clever about it */
class Naive {
  readonly #admitted = new Map<string, Admission>();
  #count = 0;

  admitted(token: string, answer: Authentication, until?: number): void {
    this.#count += 1;
    if (until !== undefined) this.#admitted.set(token, { answer, until, number: this.#count });
  }

  /** What may be answered; the cache may always answer nothing instead */
  allowed(token: string, now: number): Authentication | undefined {
    const found = this.#admitted.get(token);
    return found && now < found.until && this.#count - found.number < CAPACITY ? found.answer : undefined;
  }

  clear(): void {
    this.#admitted.clear();
  }
}

/** Tokens that share their last letters in crowds, differ in one place, or are a part of another */
function tokenPool(random: () => number): string[] {
  const letters = () => Math.floor(random() * 36 ** 4).toString(36);
  const endings = Array.from({ length: 4 }, () => `sig${letters()}-same-end`);
  return Array.from({ length: 60 }, (_, at) => {
    const head = `${letters()}.${letters()}`;
    const token = `${head}.${endings[at % endings.length]}`;
    return at % 3 === 0 ? token : at % 3 === 1 ? token.slice(1) : `${token.slice(0, -1)}${letters()[0] ?? 'x'}`;
  });
}

test('a remembered answer is only ever the one for exactly this token', () => {
  let hits = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = mulberry32(seed);
    const random = () => next() / 2 ** 32;
    const pick = (below: number) => Math.floor(random() * below);
    const tokens = tokenPool(random);
    const [cache, naive] = [new TokenCache(CAPACITY), new Naive()];
    let now = 1_000;
    for (let step = 0; step < 300; step += 1) {
      const token = tokens[pick(tokens.length)] as string;
      const what = random();
      if (what < 0.02) {
        cache.clear();
        naive.clear();
      } else if (what < 0.4) {
        const answer: Authentication = { ok: true, principal: step as PrincipalHandle };
        const until = random() < 0.2 ? undefined : now + pick(50);
        cache.admitted(token, answer, until);
        naive.admitted(token, answer, until);
      } else {
        // As it comes from a request: another string object with the same letters.
        const found = cache.find(Buffer.from(token).toString('latin1'), now);
        if (found !== undefined) {
          hits += 1;
          assert.equal(found, naive.allowed(token, now), `seed ${seed}, step ${step}`);
        }
      }
      now += pick(3);
      assert.ok(cache.size <= CAPACITY);
    }
  }
  assert.ok(hits > 1_000, `only ${hits} hits: the test would prove nothing`);
});

test('a token that was just admitted is found again', () => {
  const cache = new TokenCache(CAPACITY);
  const answer: Authentication = { ok: true, principal: 7 as PrincipalHandle };
  cache.admitted('a.b.signature', answer, 10);
  assert.equal(cache.find('a.b.signature', 9), answer);
  assert.equal(cache.find('a.b.signature', 10), undefined);
  assert.equal(cache.find('x.b.signature', 9), undefined);
  assert.equal(cache.find('', 9), undefined);
});
