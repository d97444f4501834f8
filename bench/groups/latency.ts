/** What one caller waits for, beside what Backstage's own packages use. */
import { entraAccess, entraAccessAsync } from '../cases/entraAccess';
import { joseVerifiers } from '../cases/jose';
import { cryptoVerify, cryptoVerifyCallback, subtleVerify } from '../cases/nodeCrypto';
import { awaitedCase, syncCase } from '../cases/verifier';
import type { GroupPlan } from '../harness';
import { workload } from '../tokens';

export const plans: GroupPlan[] = [
  {
    name: 'latency beside jose 5, one at a time, 50 groups',
    make: async ({ distinct }) => {
      const work = workload('RS256', 50, distinct);
      const jose = await joseVerifiers(work);
      return {
        reference: 'jose 5, key set',
        cases: [
          ...Object.values(jose).map(each => awaitedCase(each, work)),
          awaitedCase(await subtleVerify(work), work),
          awaitedCase(cryptoVerifyCallback(work), work),
          syncCase(cryptoVerify(work), work),
          syncCase(entraAccess(work), work),
          awaitedCase(entraAccessAsync(), work),
        ],
        notes: ['mostly the wake-up of a thread: read it as waiting, and "64 in flight" as throughput'],
      };
    },
  },
];
