/** Changes to a signed token: what an attacker without any key can do. */
import type { Random } from './random';

/** A token and others to take parts from, all good ones */
export type CompactMutation = (token: string, random: Random, other: string) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const FOREIGN = [
  ...[' ', '\t', '\n', '\r\n', '=', '==', '+', '/', '.', '?', '%2E', ',', ';', '~', '\0', '\u00a0', '\u200b', '\ufeff'],
  ...['\u0141', '\u0441', '\uff0e', '\ud834', '\udd1e', '𝄞', '\u0100', 'é'],
];

/** Somewhere near a border of the parts as often as anywhere: decoders err at ends */
function place(token: string, random: Random): number {
  if (random.chance(50)) return random.below(token.length + 1);
  const borders = [0, token.indexOf('.'), token.lastIndexOf('.'), token.length];
  return Math.min(token.length, Math.max(0, random.pick(borders) + random.below(5) - 2));
}

const splice = (text: string, at: number, remove: number, insert: string) =>
  text.slice(0, at) + insert + text.slice(at + remove);

function parts(token: string): [string, string, string] {
  return token.split('.') as [string, string, string];
}

/** One of the parts changed */
const inPart =
  (change: (part: string, random: Random) => string): CompactMutation =>
  (token, random) => {
    const all = parts(token);
    const at = random.below(3);
    all[at] = change(all[at]!, random);
    return all.join('.');
  };

export const COMPACT_MUTATIONS: Record<string, CompactMutation> = {
  'a letter exchanged': (token, random) => splice(token, place(token, random), 1, random.pick([...ALPHABET])),
  'a letter inserted': (token, random) => splice(token, place(token, random), 0, random.pick([...ALPHABET])),
  'a foreign letter exchanged': (token, random) => splice(token, place(token, random), 1, random.pick(FOREIGN)),
  'a foreign letter inserted': (token, random) => splice(token, place(token, random), 0, random.pick(FOREIGN)),
  'letters removed': (token, random) => splice(token, place(token, random), 1 + random.below(4), ''),
  'cut off': (token, random) => token.slice(0, place(token, random)),
  padding: inPart((part, random) => part + random.pick(['=', '==', '===', '=A', '%3D'])),
  'unused bits': inPart((part, random) => {
    const last = ALPHABET.indexOf(part.slice(-1));
    return part.slice(0, -1) + ALPHABET.charAt(last ^ (1 + random.below(3)));
  }),
  'the other alphabet': (token, random) =>
    random.chance(50)
      ? token.replaceAll('-', '+').replaceAll('_', '/')
      : token.replace(random.pick(['-', '_']), letter => (letter === '-' ? '+' : '/')),
  'a part in base64 with padding': inPart(part => Buffer.from(part, 'base64url').toString('base64')),
  'a part of another token': (token, random, other) => {
    const [mine, theirs] = [parts(token), parts(other)];
    const at = random.below(3);
    mine[at] = theirs[at]!;
    return mine.join('.');
  },
  'the same claims spaced out': token => {
    const [header, payload, signature] = parts(token);
    const claims = Buffer.from(payload, 'base64url').toString().replace('{', '{ ');
    return [header, Buffer.from(claims).toString('base64url'), signature].join('.');
  },
  'parts swapped': (token, random) => {
    const all = parts(token);
    random.shuffle(all);
    return all.join('.');
  },
  'a part more or less': (token, random, other) => {
    const [header, payload, signature] = parts(token);
    return random.pick([
      ...[`${token}.`, `.${token}`, `${token}.${signature}`, `${header}.${payload}`, `${header}.${payload}.`, header],
      ...[
        `${header}..${signature}`,
        `.${payload}.${signature}`,
        `${token} ${other}`,
        `${token}.${signature}.${header}`,
      ],
      ...[`Bearer ${token}`, `"${token}"`, '..', '.', '', `${token},${other}`],
    ]);
  },
  'a signature of other bytes': (token, random) => {
    const [header, payload, signature] = parts(token);
    const bytes = Buffer.from(signature, 'base64url');
    const changed = random.pick([
      ...[() => Buffer.alloc(bytes.length), () => random.bytes(bytes.length), () => bytes.subarray(1)],
      ...[() => bytes.subarray(0, -1), () => Buffer.concat([Buffer.alloc(1), bytes])],
      ...[() => Buffer.concat([bytes, Buffer.alloc(1)]), () => Buffer.alloc(bytes.length, 0xff)],
    ])();
    return [header, payload, changed.toString('base64url')].join('.');
  },
  'a flipped bit of the signature': (token, random) => {
    const [header, payload, signature] = parts(token);
    const bytes = Buffer.from(signature, 'base64url');
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    return [header, payload, bytes.toString('base64url')].join('.');
  },
  'filled up': (token, random) =>
    token + 'A'.repeat(random.pick([100, 32_768 - token.length, 32_769 - token.length, 40_000])),
};
