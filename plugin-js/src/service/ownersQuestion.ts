/** What the catalog in another process asks the plugin `entra-access`, and what it is told: `POST /v1/internal/owners` */
import { z } from 'zod';

const number = z.int().min(0);
const ref = z.string().min(1).max(512);

/** About whom, and how new the answer has to be where that is known */
export const ownersQuestionSchema = z.strictObject({
  /** Entity ref of the signed-in principal */
  principal: ref,
  /** Number of the directory that the answer has to know */
  epoch: number.optional(),
  /** Number of the sign-in that it has to know */
  session: number.optional(),
  /** Until when the sign-in lives that it has to know, in seconds since the epoch */
  until: number.optional(),
  /** Of the last answer: the same one need not be sent again */
  version: z.string().max(256).optional(),
});

const numbers = { epoch: number, session: number, expiresAt: number };
/** `null`: they are not known, which is not the same as none */
const owners = z.array(z.string().max(1_024)).nullable();

/** `nobody`: not signed in, or no longer */
export const ownersAnswerSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('nobody') }),
  z.object({ state: z.literal('unchanged'), ...numbers }),
  z.object({
    state: z.literal('signedIn'),
    ...numbers,
    version: z.string().max(256),
    owning: owners,
    possible: owners,
  }),
]);

export type OwnersQuestion = z.infer<typeof ownersQuestionSchema>;
export type OwnersAnswer = z.infer<typeof ownersAnswerSchema>;
