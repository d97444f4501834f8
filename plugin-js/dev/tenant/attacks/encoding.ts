/** A good token, written down in a way that a lenient decoder forgives and a strict one doesn't. */
import type { AttackDefinition } from './scene';

/** Above IdentityModel's cap of 256,000 bytes, so above any stricter one */
const HUGE_BYTES = 300_000;

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const encodingAttacks: AttackDefinition[] = [
  {
    name: 'padded-base64',
    title: 'the signature ends in base64 padding',
    expect: 'token_malformed',
    forge: ({ token }) => `${token}==`,
  },
  {
    name: 'whitespace',
    title: 'a line break inside the payload',
    expect: 'token_malformed',
    forge: ({ parts }) =>
      `${parts.header}.${parts.payload.slice(0, 64)}\n${parts.payload.slice(64)}.${parts.signature}`,
  },
  {
    name: 'trailing-newline',
    title: 'a line break after the token',
    expect: 'token_malformed',
    forge: ({ token }) => `${token}\n`,
  },
  {
    name: 'non-canonical-base64url',
    title: 'the unused bits of the last character are set: another text for the same bytes',
    expect: 'token_malformed',
    forge: ({ token }) => `${token.slice(0, -1)}${nextCharacter(token.slice(-1))}`,
  },
  {
    name: 'four-parts',
    title: 'a fourth part',
    expect: 'token_malformed',
    forge: ({ token, parts }) => `${token}.${parts.signature}`,
  },
  {
    name: 'payload-array',
    title: 'the payload is an array',
    expect: 'token_malformed',
    forge: ({ signAsEntra, headerText, payloadText }) => signAsEntra(headerText, `[${payloadText}]`),
  },
  {
    name: 'huge',
    title: 'a token of 400 KB, properly signed',
    expect: 'token_too_large',
    forge: ({ mint }) => mint({ padding: 'x'.repeat(HUGE_BYTES) }),
  },
];

/** The 256 bytes of a signature leave four unused bits in their last character, all zero in the canonical form */
function nextCharacter(last: string): string {
  return BASE64URL.charAt(BASE64URL.indexOf(last) + 1);
}
