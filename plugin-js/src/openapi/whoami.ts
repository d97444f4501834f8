/** The caller as the core sees it */
import { z } from 'zod';
import { groupState, identityFields } from './inspection';
import { count, named, timeAnswer } from './schema';

export const whoamiAnswer = named(
  'Whoami',
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('service'), note: z.string() }),
    z.strictObject({
      type: z.literal('user'),
      entityRef: z.string(),
      ...identityFields,
      groups: z.strictObject({
        state: groupState,
        count: count.describe('Group ids only as a number: a long list helps nobody'),
        reason: z.string().optional().describe('Why they are not known'),
      }),
      owners: z.array(z.string()).describe('Owners that count as the caller'),
      expiresAt: timeAnswer,
      epoch: count,
    }),
  ]),
);

export type Whoami = z.output<typeof whoamiAnswer>;
