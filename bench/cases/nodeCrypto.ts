/**
 * The signature alone, by Node's own functions: what everything else is built on, and so the floor.
 * Not comparable in one respect: the token comes taken apart and decoded, and no claim is looked at.
 */
import { createVerify, verify, webcrypto, type VerifyKeyObjectInput } from 'node:crypto';
import type { Workload } from '../tokens';
import type { AsyncVerifier, Verifier } from './verifier';

interface Parts {
  signed: Buffer;
  signature: Buffer;
}

function takeApart(token: string): Parts {
  const end = token.lastIndexOf('.');
  // Buffers of their own, not slices of a shared pool.
  return { signed: bytes(token.slice(0, end), 'latin1'), signature: bytes(token.slice(end + 1), 'base64url') };
}

function bytes(text: string, encoding: BufferEncoding): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text, encoding));
  buffer.write(text, encoding);
  return buffer;
}

/** A key object as it is for RSA; with the form of signature that tokens use for ECDSA */
function key({ algorithm, publicKey }: Workload): VerifyKeyObjectInput {
  return algorithm === 'RS256' ? { key: publicKey } : { key: publicKey, dsaEncoding: 'ieee-p1363' };
}

export function cryptoVerify(workload: Workload): Verifier<Parts> {
  const keyInput = workload.algorithm === 'RS256' ? workload.publicKey : key(workload);
  return {
    name: 'crypto.verify',
    prepare: takeApart,
    verify: ({ signed, signature }) => verify('sha256', signed, keyInput, signature),
    checksClaims: false,
  };
}

export function createVerifyOnce(workload: Workload): Verifier<Parts> {
  const keyInput = key(workload);
  return {
    name: 'createVerify',
    prepare: takeApart,
    verify: ({ signed, signature }) => createVerify('sha256').update(signed).verify(keyInput, signature),
    checksClaims: false,
  };
}

/** In Node's thread pool */
export function cryptoVerifyCallback(workload: Workload): AsyncVerifier<Parts> {
  const keyInput = workload.algorithm === 'RS256' ? workload.publicKey : key(workload);
  return {
    name: 'crypto.verify with callback',
    prepare: takeApart,
    verify: ({ signed, signature }) =>
      new Promise<boolean>((resolve, reject) =>
        verify('sha256', signed, keyInput, signature, (error, valid) => (error ? reject(error) : resolve(valid))),
      ),
    checksClaims: false,
  };
}

/** What jose stands on; RS256 only */
export async function subtleVerify(workload: Workload): Promise<AsyncVerifier<Parts>> {
  const { subtle } = webcrypto;
  const scheme = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const imported = await subtle.importKey(
    'spki',
    workload.publicKey.export({ type: 'spki', format: 'der' }),
    scheme,
    false,
    ['verify'],
  );
  return {
    name: 'subtle.verify',
    prepare: takeApart,
    verify: ({ signed, signature }) => subtle.verify(scheme, imported, signature, signed),
    checksClaims: false,
  };
}
