/**
 * fast-jwt, which prepares the key once. In its favour: it has one key and looks up none by `kid`; it checks only what
 * it is told here, while ours checks tenant, kind of token, lifetime, duplicates, ... too. Against it: it hands out all
 * claims as an object, ours a handle. Its option for other forms of claims (RegExp) is not used.
 */
import { createVerifier } from 'fast-jwt';
import { expected, type Workload } from '../tokens';
import { asIs, type Verifier } from './verifier';

export function fastJwt(workload: Workload, { cache }: { cache: boolean }): Verifier {
  const verify = createVerifier({
    key: workload.publicKeyPem,
    algorithms: [workload.algorithm],
    allowedIss: expected.issuer,
    allowedAud: expected.audience,
    requiredClaims: ['iss', 'aud', 'exp'],
    // `true` is its default of 1,000 tokens; refusals are kept too, under another token's key.
    cache,
  });
  return { name: cache ? 'fast-jwt, cached' : 'fast-jwt', prepare: asIs, verify, checksClaims: true };
}
