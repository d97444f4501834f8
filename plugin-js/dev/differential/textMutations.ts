/** Changes to the text of a payload or header before it is encoded and signed: what no JSON library would write. */
import type { Random } from './random';

export type TextMutation = (text: string, random: Random) => Buffer;

const INSERTED = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '\t',
    '\0',
    '\u000b',
    '\u00a0',
    '\ufeff',
    '/**/',
    '//\n',
    "'",
  ],
  ...[
    '0',
    '-',
    '.',
    'e9',
    '\\u0000',
    '\\ud800',
    '\\udc00',
    '\\u{61}',
    '\\x41',
    '\\',
    'NaN',
    'null',
    'Infinity',
    '𝄞',
    'é',
  ],
];

const BROKEN_UTF8 = ['ff', 'c3', 'c0af', 'eda080', 'edb080', 'f4908080', 'e28080'.slice(0, 4), 'fe', '80', 'f8888080'];

export const TEXT_MUTATIONS: Record<string, TextMutation> = {
  'a byte flipped': (text, random) => {
    const bytes = Buffer.from(text);
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    return bytes;
  },
  'a byte set': (text, random) => {
    const bytes = Buffer.from(text);
    bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  'something inserted': (text, random) => {
    const at = random.below(text.length + 1);
    return Buffer.from(text.slice(0, at) + random.pick(INSERTED) + text.slice(at));
  },
  'something removed': (text, random) => {
    const at = random.below(text.length);
    return Buffer.from(text.slice(0, at) + text.slice(at + 1 + random.below(4)));
  },
  'a piece repeated': (text, random) => {
    const at = random.below(text.length);
    const piece = text.slice(at, at + 1 + random.below(60));
    return Buffer.from(text.slice(0, at) + piece + text.slice(at));
  },
  'broken UTF-8': (text, random) => {
    const bytes = Buffer.from(text);
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(BROKEN_UTF8), 'hex'), bytes.subarray(at)]);
  },
  'another encoding': (text, random) => Buffer.from(text, random.pick(['utf16le', 'latin1'] as const)),
  'a byte order mark': text => Buffer.from(`\ufeff${text}`),
  'something around it': (text, random) => {
    const [before, after] = random.pick([
      ...([
        [' ', '\n'],
        ['', '{}'],
        ['', ' x'],
        ['[', ']'],
        ['"', '"'],
        ['', '\0'],
        ['(', ')'],
        ['', ','],
      ] as const),
      ...([
        ['\t\r\n ', ' \t\r\n'],
        ['\u00a0', ''],
        ['', '\u000b'],
      ] as const),
    ]);
    return Buffer.from(before + text + after);
  },
  'another value': (_, random) =>
    Buffer.from(random.pick(['{}', '[]', 'null', '""', '1', 'true', '', ' ', '{"iss":1}'])),
  'cut off': (text, random) => Buffer.from(text.slice(0, random.below(text.length))),
};
