/**
 * Compact JWS, written by hand on purpose: a library would refuse to produce most of what the attacks need.
 * The tests read the results with jose, so the two check each other.
 */
import { sign } from 'node:crypto';
import type { SigningKey } from './keys';

/** Signs arbitrary text exactly as given, even if it is not JSON */
export function signRaw(headerText: string, payloadText: string, key: SigningKey, hash = 'sha256'): string {
  const input = `${base64url(headerText)}.${base64url(payloadText)}`;
  return `${input}.${sign(hash, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

export function base64url(text: string | Buffer): string {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return bytes.toString('base64url');
}

/** The three segments of a token that we made ourselves */
export function segments(token: string): { header: string; payload: string; signature: string } {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new Error('not a token of three segments');
  }
  return { header, payload, signature };
}

/** The JSON text inside a segment */
export function segmentText(segment: string): string {
  return Buffer.from(segment, 'base64url').toString('utf8');
}
