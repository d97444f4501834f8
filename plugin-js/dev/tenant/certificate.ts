/**
 * A self-signed certificate around a signing key, for the `x5c` member of a key set.
 * Node reads certificates but can't write them, and Entra's `kid` is the thumbprint of one.
 */
import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';

const NULL = der(0x05);
const SHA256_WITH_RSA = der(0x30, oid('2a864886f70d01010b'), NULL);
const COMMON_NAME = oid('550403');
const FIVE_YEARS_MS = 5 * 365 * 24 * 3600 * 1000;

/** DER bytes of a certificate valid from an hour ago */
export function selfSignedCertificate(privateKey: KeyObject, commonName: string): Buffer {
  const name = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
  const notBefore = Date.now() - 3600 * 1000;
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])), // serial number, positive
    SHA256_WITH_RSA,
    name,
    der(0x30, utcTime(notBefore), utcTime(notBefore + FIVE_YEARS_MS)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return der(0x30, toBeSigned, SHA256_WITH_RSA, der(0x03, Buffer.of(0), signature));
}

/** One tag-length-value */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x100) return Buffer.of(0x81, length);
  return Buffer.of(0x82, length >> 8, length & 0xff);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

/** `YYMMDDhhmmssZ` */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
