/** jsonwebtoken with a KeyObject (with PEM text it is five times slower); like fast-jwt, it looks up no key by `kid`. */
import { verify, type VerifyOptions } from 'jsonwebtoken';
import { expected, type Workload } from '../tokens';
import { asIs, type Verifier } from './verifier';

export function jsonwebtoken({ algorithm, publicKey }: Workload): Verifier {
  const options: VerifyOptions = { algorithms: [algorithm], issuer: expected.issuer, audience: expected.audience };
  return {
    name: 'jsonwebtoken',
    prepare: asIs,
    verify: token => verify(token, publicKey, options),
    checksClaims: true,
  };
}
