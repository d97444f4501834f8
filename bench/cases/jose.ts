/**
 * jose 5 (what Backstage's own packages use) and 6. Both verify in Node's thread pool, so that one at a time shows
 * mostly the latency of waking a thread: what a request waits, but not processor time. "key" is one given key, "key set"
 * finds it by `kid` in a local set, which is what ours does.
 */
import * as jose5 from 'jose';
import { expected, jwks, type Workload } from '../tokens';
import { asIs, type AsyncVerifier } from './verifier';

// It has no CommonJS form: imported, so that it runs as it was published.
const jose6 = import('jose6');

export async function joseVerifiers({ algorithm, publicKeyPem }: Workload): Promise<Record<string, AsyncVerifier>> {
  const options = {
    algorithms: [algorithm],
    issuer: expected.issuer,
    audience: expected.audience,
    requiredClaims: ['exp'],
  };
  const named = (name: string, verify: (token: string) => Promise<unknown>): AsyncVerifier => ({
    name,
    prepare: asIs,
    verify,
    checksClaims: true,
  });

  const key5 = await jose5.importSPKI(publicKeyPem, algorithm);
  const set5 = jose5.createLocalJWKSet(JSON.parse(jwks));
  const six = await jose6;
  const key6 = await six.importSPKI(publicKeyPem, algorithm);
  const set6 = six.createLocalJWKSet(JSON.parse(jwks));
  return {
    key5: named('jose 5, key', token => jose5.jwtVerify(token, key5, options)),
    set5: named('jose 5, key set', token => jose5.jwtVerify(token, set5, options)),
    key6: named('jose 6, key', token => six.jwtVerify(token, key6, options)),
    set6: named('jose 6, key set', token => six.jwtVerify(token, set6, options)),
  };
}
