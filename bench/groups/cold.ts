/** A token that was never seen before, while the keys are there: what the first request of a caller costs. */
import { entraAccess, entraAccessTakes } from '../cases/entraAccess';
import { fastJwt } from '../cases/fastJwt';
import { joseVerifiers } from '../cases/jose';
import { jsonwebtoken } from '../cases/jsonwebtoken';
import { createVerifyOnce, cryptoVerify } from '../cases/nodeCrypto';
import { awaitedCase, syncCase } from '../cases/verifier';
import type { Group, GroupPlan } from '../harness';
import { workload, type Algorithm, type Workload } from '../tokens';

export const plans: GroupPlan[] = [plan('RS256', 5), plan('RS256', 50), plan('RS256', 200), plan('ES256', 50)];

function plan(algorithm: Algorithm, groups: number): GroupPlan {
  const name = algorithm === 'RS256' ? `cold RS256, ${groups} groups` : `cold ${algorithm}`;
  return { name, make: ({ distinct }) => make(workload(algorithm, groups, distinct)) };
}

async function make(work: Workload): Promise<Group> {
  const jose = Object.values(await joseVerifiers(work));
  const ours = entraAccessTakes(work) ? [syncCase(entraAccess(work), work)] : [];
  return {
    reference: 'crypto.verify',
    cases: [
      syncCase(cryptoVerify(work), work),
      syncCase(createVerifyOnce(work), work),
      ...ours,
      syncCase(fastJwt(work, { cache: false }), work),
      syncCase(jsonwebtoken(work), work),
      ...jose.map(each => awaitedCase(each, work)),
    ],
    notes: [
      `tokens of ${work.tokens[0]?.length} bytes; crypto.verify and createVerify: signature alone, token already decoded`,
      'jose: awaited one at a time, so mostly the latency of a thread pool, not processor time',
      ...(ours.length === 0
        ? [`entra-access: not measured, it takes no ${work.algorithm} token (Entra issues none)`]
        : []),
    ],
  };
}
