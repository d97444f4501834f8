import type { TokenBuffer } from './tokenBuffer';
import type { WasmCore } from './wasm';

/** Enough for V8 to translate the functions on the way; a few milliseconds in all */
const ROUNDS = 300;

/**
 * Walks the hot paths once before the first request has to: V8 translates WebAssembly when it is first called. The token is
 * of the usual shape and names a key that nobody has, so it is read as a whole and refused.
 */
export function warmUp(core: WasmCore, buffer: TokenBuffer, issuer: string): void {
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
  const token = `${part({ typ: 'JWT', alg: 'RS256', kid: 'warm-up' })}.${part(claims)}.${'A'.repeat(342)}`;
  for (let round = 0; round < ROUNDS; round += 1) {
    core.authenticate(buffer.write(token), false, 1);
    core.decide(0, 0, 1);
  }
}
