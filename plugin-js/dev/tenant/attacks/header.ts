/** Signed by Entra's own key, but the header asks for something that a bearer verifier must not pass over. */
import { createHash, randomBytes } from 'node:crypto';
import { base64url, segments } from '../jws';
import type { AttackDefinition } from './scene';

export const headerAttacks: AttackDefinition[] = [
  {
    name: 'crit',
    title: 'a critical header extension that nobody here understands',
    expect: 'critical_header_unsupported',
    forge: ({ mint }) => mint({}, { crit: ['exp-policy'], 'exp-policy': 'strict' }),
  },
  {
    name: 'b64',
    title: 'the b64 extension, which changes what is signed',
    expect: 'token_malformed',
    forge: ({ mint }) => mint({}, { crit: ['b64'], b64: true }),
  },
  {
    name: 'jwe',
    title: 'five parts: an encrypted token',
    expect: 'token_encrypted',
    forge: ({ entraKey }) => {
      const header = JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: entraKey.kid });
      const lengths = { encryptedKey: 256, iv: 12, ciphertext: 512, tag: 16 };
      return [base64url(header), ...Object.values(lengths).map(bytes => base64url(randomBytes(bytes)))].join('.');
    },
  },
  {
    /** Entra signs such tokens over the hash of the nonce and sends the nonce itself, so plain verification fails */
    name: 'nonce-in-header',
    title: 'a token in the shape of Microsoft Graph, with a nonce in its header',
    expect: 'token_kind_not_allowed',
    forge: ({ headerText, payloadText, signAsEntra }) => {
      const nonce = randomBytes(32).toString('base64url');
      const hashed = createHash('sha256').update(nonce).digest('base64url');
      const withNonce = (value: string) => JSON.stringify({ ...JSON.parse(headerText), nonce: value });
      const { payload, signature } = segments(signAsEntra(withNonce(hashed), payloadText));
      return `${base64url(withNonce(nonce))}.${payload}.${signature}`;
    },
  },
];
