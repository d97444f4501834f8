import type { TokenBuffer } from './tokenBuffer';
import type { WasmCore } from './wasm';

/** Enough for V8 to translate the functions on the way */
const ROUNDS_AT_ONCE = 3;
/** Enough for it to translate the busy ones again, into faster code: ten milliseconds in all, for which nobody has to wait */
const TURNS_LATER = 15;
const ROUNDS_A_TURN = 20;

/**
 * Walks the hot paths before the first request has to: V8 translates WebAssembly when it is first called.
 *
 * @returns what remains to be done, a part with each call; false when that was the last one
 */
export function warmUp(core: WasmCore, buffer: TokenBuffer, issuer: string): () => boolean {
  const token = unknownToken(issuer);
  const walk = (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      core.authenticate(buffer.write(token), false, 1);
      core.decide(0, 0, 1);
    }
  };
  walk(ROUNDS_AT_ONCE);
  let left = TURNS_LATER;
  return () => {
    walk(ROUNDS_A_TURN);
    left -= 1;
    return left > 0;
  };
}

/** Of the usual shape, with a key that nobody has: it is read as a whole and refused */
function unknownToken(issuer: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nobody = '00000000-0000-0000-0000-000000000000';
  const claims = {
    aud: nobody,
    iss: issuer,
    iat: 1,
    nbf: 1,
    exp: 2,
    azp: nobody,
    groups: Array<string>(50).fill(nobody),
    name: 'nobody',
    oid: nobody,
    scp: 'none',
    tid: nobody,
    ver: '2.0',
  };
  return `${part({ typ: 'JWT', alg: 'RS256', kid: 'warm-up' })}.${part(claims)}.${'A'.repeat(342)}`;
}
