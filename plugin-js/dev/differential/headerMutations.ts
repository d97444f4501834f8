/** Changes to the header before signing. */
import type { Mutation } from './claimMutations';
import { set, remove } from './draft';

const KIDS = ['a', 'b', 'c', '', 'A', 'a ', 'a\\u0000', '\\u0061', '../../dev/null', "x' OR '1", '__proto__', '*'];
const ALGORITHMS = [
  ...['none', 'None', 'NONE', '', 'HS256', 'rs256', 'RS256 ', 'RS384', 'RS512', 'PS256', 'ES256', 'EdDSA', 'dir'],
  ...['RSA1_5', '\\u0052S256'],
];
const MEMBERS: ReadonlyArray<readonly [string, string]> = [
  ...[['crit', '["exp"]'] as const, ['crit', '[]'] as const, ['crit', '["b64"]'] as const, ['crit', 'null'] as const],
  ...[['b64', 'true'] as const, ['b64', 'false'] as const, ['zip', '"DEF"'] as const, ['cty', '"JWT"'] as const],
  ...[['enc', '"A256GCM"'] as const, ['nonce', '"n"'] as const, ['jwk', '{"kty":"RSA"}'] as const],
  ...[
    ['jku', '"https://evil.example"'] as const,
    ['x5u', '"https://evil.example"'] as const,
    ['x5c', '["MIIB"]'] as const,
  ],
];

export const HARMLESS_HEADERS: Record<string, Mutation> = {
  'header members in another order': ({ header }, random) => random.shuffle(header),
  'an unknown header member': ({ header }) => set(header, 'x5t', '"AbCd"'),
  'no typ': ({ header }) => remove(header, 'typ'),
  'another good typ': ({ header }, random) => {
    set(header, 'typ', random.pick(['"jwt"', '"at+jwt"', '"application/at+jwt"', '"Application/JWT"']));
  },
  'white space in the header': ({ header }, random) => {
    const one = random.pick(header);
    one.value = ` ${one.value}\r\n`;
  },
  'an escaped kid': ({ header }) => {
    const kid = header.find(each => each.name === '"kid"');
    if (kid?.value === '"a"') kid.value = '"\\u0061"';
  },
};

export const HOSTILE_HEADERS: Record<string, Mutation> = {
  'another kid': ({ header }, random) => set(header, 'kid', `"${random.pick(KIDS)}"`),
  'a long kid': ({ header }, random) => set(header, 'kid', `"${'k'.repeat(random.pick([255, 256, 257, 5000]))}"`),
  'another algorithm': ({ header }, random) => set(header, 'alg', `"${random.pick(ALGORITHMS)}"`),
  'another typ': ({ header }, random) => {
    const types = ['"logout+jwt"', '"secevent+jwt"', '"dpop+jwt"', '"JWE"', '""', 'null', '1', '["JWT"]'];
    set(header, 'typ', random.pick(types));
  },
  'a header member that must not be': ({ header }, random) => set(header, ...random.pick(MEMBERS)),
  'a header member of a strange type': ({ header }, random) => {
    set(
      header,
      random.pick(['alg', 'kid', 'typ', 'x']),
      random.pick(['null', '1', '[]', '["RS256"]', '{}', 'NaN', '"\\x"']),
    );
  },
  'a header member removed': ({ header }, random) => void header.splice(random.below(header.length), 1),
  'a header member twice': ({ header }, random) => {
    const one = random.pick(header);
    header.push(random.chance(50) ? { ...one } : { name: one.name.replace('a', '\\u0061'), value: '"none"' });
  },
  'a deep header': ({ header }, random) => {
    const depth = random.pick([6, 7, 8, 9, 500]);
    set(header, 'x', `${'['.repeat(depth)}${']'.repeat(depth)}`);
  },
};
