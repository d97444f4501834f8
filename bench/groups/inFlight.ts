/** Many callers at once: 64 verifications in flight at any time, wall time for each. */
import { entraAccess, entraAccessAsync } from '../cases/entraAccess';
import { fastJwt } from '../cases/fastJwt';
import { joseVerifiers } from '../cases/jose';
import { cryptoVerify, cryptoVerifyCallback, subtleVerify } from '../cases/nodeCrypto';
import { inFlightCase, syncCase } from '../cases/verifier';
import type { GroupPlan } from '../harness';
import { workload } from '../tokens';

const WIDTH = 64;

export const plans: GroupPlan[] = [
  {
    name: `${WIDTH} in flight, 50 groups`,
    make: async ({ distinct }) => {
      const work = workload('RS256', 50, distinct);
      const jose = await joseVerifiers(work);
      return {
        reference: 'crypto.verify with callback',
        cases: [
          inFlightCase(cryptoVerifyCallback(work), work, WIDTH),
          inFlightCase(await subtleVerify(work), work, WIDTH),
          ...Object.values(jose).map(each => inFlightCase(each, work, WIDTH)),
          syncCase(cryptoVerify(work), work),
          syncCase(fastJwt(work, { cache: false }), work),
          syncCase(entraAccess(work), work),
          inFlightCase(entraAccessAsync(), work, WIDTH),
        ],
        notes: [
          'crypto.verify, fast-jwt and entra-access without "async" use one core; the others as many as there are',
        ],
      };
    },
  },
];
