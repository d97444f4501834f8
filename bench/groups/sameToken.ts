/**
 * The same tokens again and again, as callers send them: each time a new string, as it comes out of an HTTP header.
 * Making that string is part of every row and has a row of its own.
 */
import { entraAccessRemembering } from '../cases/entraAccess';
import { fastJwt } from '../cases/fastJwt';
import { syncCase, type Verifier } from '../cases/verifier';
import type { GroupPlan } from '../harness';
import { workload, type Workload } from '../tokens';

type Bytes = Buffer & { latin1Slice(): string };

const group = (name: string, callers: number): GroupPlan => ({
  name,
  make: ({ distinct }) => {
    const work = workload('RS256', 50, Math.min(distinct, callers));
    return {
      reference: 'fast-jwt, cached',
      cases: [
        { ...syncCase(arriving(nothing), work), check: () => {} },
        syncCase(arriving(fastJwt(work, { cache: true })), work),
        syncCase(arriving(wholeTokenMap(work)), work),
        syncCase(arriving(entraAccessRemembering(work)), work),
      ],
      notes: [
        `${work.tokens.length} callers in turn; every row includes making the string`,
        'fast-jwt keys by SHA-256 and hands out the claims; the Map re-checks nothing, not even `exp`',
        'entra-access reads the time once in a turn of JavaScript, so hardly ever in this loop: a request of its own pays 0.04 us more',
      ],
    };
  },
});

export const plans: GroupPlan[] = [
  // What is compared stays in the processor's cache, as with somebody who clicks through a portal.
  group('the same token again, 4 KB', 16),
  // Within every cache's default size: each token has to be fetched from memory to be compared.
  group('the same token again, 4 KB, 256 callers in turn', 256),
];

/** Gets bytes and makes the string */
function arriving(verifier: Verifier): Verifier<Bytes> {
  return {
    ...verifier,
    prepare: token => Buffer.from(token, 'latin1') as Bytes,
    verify: bytes => verifier.verify(bytes.latin1Slice()),
  };
}

const nothing: Verifier = {
  name: 'making the string',
  prepare: token => token,
  verify: token => token,
  checksClaims: false,
};

/** What one would write by hand */
function wholeTokenMap({ tokens, objectIds }: Workload): Verifier {
  const known = new Map(tokens.map((token, index) => [token, objectIds[index]]));
  return { ...nothing, name: 'Map of whole tokens', verify: token => known.get(token) };
}
