/**
 * The signing keys of one tenant. Entra publishes more than one at any time, in no particular order, and rolls them
 * without a fixed interval, in an emergency at once.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { selfSignedCertificate } from './certificate';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKeyPem: string;
  /** Base64 DER, as in `x5c` */
  readonly certificate: string;
  readonly n: string;
  readonly e: string;
}

export interface RollOptions {
  /** The old keys stay published; otherwise all vanish at once, as in an emergency */
  overlap: boolean;
  /** The new signing key is one that was already published, so caches may hold it; only with `overlap` */
  announced?: boolean;
}

/** Retired keys stay for a while, not for ever */
const MAX_PUBLISHED = 4;

const RSA_2048 = {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const;

export class KeyRing {
  private keys: { current: SigningKey; standby: SigningKey; retired: SigningKey[] } | undefined;

  /** Generates the first keys off the main thread; without it they are generated on first use, which blocks */
  async warmUp(): Promise<void> {
    if (this.keys) return;
    const [current, standby] = await Promise.all([generateSigningKey(), generateSigningKey()]);
    this.keys ??= { current, standby, retired: [] };
  }

  /** The key that signs now */
  get current(): SigningKey {
    return this.ring().current;
  }

  /** Published ahead of its use */
  get standby(): SigningKey {
    return this.ring().standby;
  }

  /** Sorted by `kid`, so that nobody comes to rely on the first one being current */
  get published(): readonly SigningKey[] {
    const { current, standby, retired } = this.ring();
    return [current, standby, ...retired].sort((a, b) => (a.kid < b.kid ? -1 : 1));
  }

  async roll({ overlap, announced = false }: RollOptions): Promise<void> {
    const fresh = await generateSigningKey();
    if (!overlap) {
      this.keys = { current: fresh, standby: await generateSigningKey(), retired: [] };
      return;
    }
    const { current, standby, retired } = this.ring();
    this.keys = {
      current: announced ? standby : fresh,
      standby: announced ? fresh : standby,
      retired: [current, ...retired].slice(0, MAX_PUBLISHED - 2),
    };
  }

  private ring() {
    return (this.keys ??= { current: generateSigningKeySync(), standby: generateSigningKeySync(), retired: [] });
  }
}

export async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', RSA_2048);
  return signingKey(privateKey);
}

export function generateSigningKeySync(): SigningKey {
  return signingKey(generateKeyPairSync('rsa', RSA_2048).privateKey);
}

/** From PEM: exporting a freshly generated KeyObject as JWK can deadlock Node 20 */
function signingKey(privatePem: string): SigningKey {
  const privateKey = createPrivateKey(privatePem);
  const publicKey = createPublicKey(privatePem);
  const certificate = selfSignedCertificate(privateKey, 'accounts.accesscontrol.simulated');
  const { n, e } = publicKey.export({ format: 'jwk' });
  if (!n || !e) throw new Error('not an RSA key');
  return {
    kid: createHash('sha1').update(certificate).digest('base64url'),
    privateKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    certificate: certificate.toString('base64'),
    n,
    e,
  };
}
