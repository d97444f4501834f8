/** What a start of the backend pays, and what the first caller pays after it. */
import { wasmKilobytes } from '../cases/entraAccess';
import { loadCase } from '../cases/load';
import type { GroupPlan } from '../harness';
import { workload } from '../tokens';

/** Each sample is a process */
const ROUNDS = 15;
const PEERS = ['fast-jwt', 'jsonwebtoken', 'jose 5', 'jose 6'];

export const plans: GroupPlan[] = [
  {
    name: 'load',
    make: () => {
      const work = workload('RS256', 50, 2);
      return {
        reference: 'read and compile the .wasm',
        maxRounds: ROUNDS,
        cases: [
          loadCase('read and compile the .wasm', work, 'readyUs'),
          loadCase('entra-access', work, 'readyUs', `entra-access (.wasm of ${wasmKilobytes()} KB)`),
          loadCase('entra-access, its modules included', work, 'readyUs'),
          ...PEERS.map(peer => loadCase(peer, work, 'readyUs')),
        ],
        notes: ['the others: their modules included, key prepared; each sample in a fresh process'],
      };
    },
  },
  {
    name: 'first token after load',
    make: () => {
      const work = workload('RS256', 50, 2);
      return {
        reference: 'crypto.verify',
        maxRounds: ROUNDS,
        cases: ['crypto.verify', 'entra-access', ...PEERS].map(subject => loadCase(subject, work, 'firstUs')),
        notes: ['one token in a process that has verified none: nothing is compiled by the JIT yet; decoding included'],
      };
    },
  },
];
