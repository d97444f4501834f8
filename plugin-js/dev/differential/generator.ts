/** One token for each seed and index: a good one, changed in one of several ways. */
import { constants, sign } from 'node:crypto';
import type { Purpose } from '../../src/core';
import { HARMLESS, HOSTILE, type Mutation } from './claimMutations';
import { COMPACT_MUTATIONS } from './compactMutations';
import { entraDraft, textOf, type Draft } from './draft';
import { HARMLESS_HEADERS, HOSTILE_HEADERS } from './headerMutations';
import { Random } from './random';
import { TEXT_MUTATIONS } from './textMutations';
import { NOW, PRIVATE_KEYS } from './trust';

export interface Sample {
  token: string;
  purpose: Purpose;
  /** Seconds since the epoch at which it is judged */
  now: number;
  /** Which of {@link FAMILIES} */
  family: Family;
  /** What was done, in order */
  history: string[];
}

/** How many of a hundred tokens are made in which way */
const SHARES = { harmless: 22, claims: 26, header: 12, text: 14, compact: 20, key: 6 } as const;
export type Family = keyof typeof SHARES;
export const FAMILIES = Object.keys(SHARES) as Family[];

const POOL = 64;

export class Generator {
  readonly #seed: number;
  /** Good tokens, signed once, that the changes to compact tokens start from */
  readonly pool: readonly Sample[];

  constructor(seed: number) {
    this.#seed = seed;
    this.pool = Array.from({ length: POOL }, (_, index) => {
      const draft = entraDraft(new Random(seed, -2 - index));
      return sampleOf(draft, 'compact', signed(draft));
    });
  }

  sample(index: number): Sample {
    const random = new Random(this.#seed, index);
    const family = familyOf(random.below(100));
    return family === 'compact' ? this.#compact(random) : drafted(family, random);
  }

  #compact(random: Random): Sample {
    const { token, history, ...rest } = random.pick(this.pool);
    const [name, change] = random.pick(Object.entries(COMPACT_MUTATIONS));
    return { ...rest, token: change(token, random, random.pick(this.pool).token), history: [...history, name] };
  }
}

function familyOf(percent: number): Family {
  let rest = percent;
  for (const family of FAMILIES) {
    if (rest < SHARES[family]) return family;
    rest -= SHARES[family];
  }
  throw new Error('the shares do not make a hundred');
}

function drafted(family: Exclude<Family, 'compact'>, random: Random): Sample {
  const draft = entraDraft(random);
  switch (family) {
    case 'harmless':
      for (let times = random.below(4); times > 0; times -= 1) {
        mutate(draft, random, random.chance(75) ? HARMLESS : HARMLESS_HEADERS);
      }
      return sampleOf(draft, family, signed(draft));
    case 'claims':
      for (let times = random.pick([1, 1, 2, 3]); times > 0; times -= 1) {
        mutate(draft, random, random.chance(80) ? HOSTILE : HARMLESS);
      }
      return sampleOf(draft, family, signed(draft));
    case 'header':
      mutate(draft, random, HOSTILE_HEADERS);
      return sampleOf(draft, family, signed(draft));
    case 'text':
      return rewritten(draft, random);
    default:
      return sampleOf(draft, family, forged(draft, random));
  }
}

function mutate(draft: Draft, random: Random, mutations: Record<string, Mutation>): void {
  const [name, change] = random.pick(Object.entries(mutations));
  if (draft.claims.length > 0 && draft.header.length > 0) change(draft, random);
  draft.history.push(name);
}

/** The text changed where no member begins or ends, then signed as it is */
function rewritten(draft: Draft, random: Random): Sample {
  const [name, change] = random.pick(Object.entries(TEXT_MUTATIONS));
  const inHeader = random.chance(25);
  const text = change(textOf(inHeader ? draft.header : draft.claims), random);
  draft.history.push(`${name} in the ${inHeader ? 'header' : 'payload'}`);
  const token = inHeader
    ? seal(text, Buffer.from(textOf(draft.claims)), draft)
    : seal(Buffer.from(textOf(draft.header)), text, draft);
  return sampleOf(draft, 'text', token);
}

/** Good text, the wrong key or scheme */
function forged(draft: Draft, random: Random): string {
  const input = [draft.header, draft.claims].map(part => Buffer.from(textOf(part)).toString('base64url')).join('.');
  const other = draft.key === 'a' ? 'b' : 'a';
  const [name, signature] = random.pick([
    ['the key of the other issuer', () => sign('sha256', Buffer.from(input), PRIVATE_KEYS[other])] as const,
    ['a key that nobody published', () => sign('sha256', Buffer.from(input), PRIVATE_KEYS.stranger)] as const,
    [
      'another hash',
      () => sign(random.pick(['sha1', 'sha384', 'sha512']), Buffer.from(input), PRIVATE_KEYS[draft.key]),
    ] as const,
    [
      'PSS instead of PKCS#1',
      () => {
        const padding = constants.RSA_PKCS1_PSS_PADDING;
        return sign('sha256', Buffer.from(input), { key: PRIVATE_KEYS[draft.key], padding, saltLength: 32 });
      },
    ] as const,
    [
      'only the payload signed',
      () => sign('sha256', Buffer.from(input.split('.')[1]!), PRIVATE_KEYS[draft.key]),
    ] as const,
  ]);
  draft.history.push(name);
  return `${input}.${signature().toString('base64url')}`;
}

const signed = (draft: Draft): string =>
  seal(Buffer.from(textOf(draft.header)), Buffer.from(textOf(draft.claims)), draft);

function seal(header: Buffer, payload: Buffer, { key }: Draft): string {
  const input = `${header.toString('base64url')}.${payload.toString('base64url')}`;
  return `${input}.${sign('sha256', Buffer.from(input), PRIVATE_KEYS[key]).toString('base64url')}`;
}

function sampleOf({ purpose, now = NOW, history }: Draft, family: Family, token: string): Sample {
  return { token, purpose, now, family, history };
}
