/** Refusals, as Backstage writes errors, with the stable codes of each status */
import { z } from 'zod';
import { REJECTION_CODES } from '../core/codes';
import { UNAVAILABLE_CODES, type ErrorCode } from '../service/coded';

/** What is answered in the place of what was asked for */
export interface Refusal {
  status: `${number}` | '5XX';
  description: string;
  codes?: readonly [string, ...string[]];
  /** Node answers so by itself, and says nothing more */
  empty?: boolean;
  /** Backstage itself answers so as well, and without a code */
  alsoWithout?: boolean;
  headers?: Readonly<Record<string, string>>;
}

const codes = (...known: [ErrorCode, ...ErrorCode[]]) => known;

/** All of them by name */
export const REFUSALS = {
  InvalidRequest: {
    status: '400',
    description: 'The request is not as described here; the message names what and where.',
    codes: codes('request_invalid'),
  },
  InvalidQuestion: {
    status: '400',
    description:
      'The request is not as described here, or no plugin declares the permission; the message names what and where.',
    codes: codes('request_invalid', 'permission_unknown'),
  },
  Unauthenticated: {
    status: '401',
    description:
      'Nobody is known by this token. An Entra or pipeline token that is refused has its rejection code; `step_up_required` comes ' +
      'with the claims challenge of a stronger sign-in.',
    codes: [
      ...REJECTION_CODES,
      ...codes('sign_in_incomplete', 'header_invalid', 'principal_conflict', 'not_signed_in'),
    ],
    alsoWithout: true,
    headers: { 'WWW-Authenticate': 'The claims challenge, where a stronger sign-in would do' },
  },
  Forbidden: {
    status: '403',
    description: 'The permission of the operation is needed, and the policy does not grant it.',
    codes: codes('permission_needed'),
    alsoWithout: true,
  },
  NotFound: {
    status: '404',
    description: 'There is no such entity for the caller, or nobody is signed in under that ref.',
    codes: codes('entity_not_found', 'not_signed_in'),
  },
  BodyTooLarge: {
    status: '413',
    description: 'The body is larger than 1 MiB.',
    codes: codes('request_invalid'),
  },
  NotifiedTooMuch: {
    status: '413',
    description: 'The body is larger than 256 KiB.',
    codes: codes('request_invalid'),
  },
  BodyUnreadable: {
    status: '415',
    description: 'The body is in a character set or content encoding that is not known.',
    codes: codes('request_invalid'),
  },
  TooManyRequests: {
    status: '429',
    description:
      'More requests of this caller than `entraAccess.limits` allows in a minute, or, without a code, of this address than ' +
      '`backend.rateLimit` of Backstage does.',
    codes: codes('rate_limited'),
    alsoWithout: true,
    headers: { 'Retry-After': 'Seconds to wait' },
  },
  NotSetHere: {
    status: '404',
    description: 'The setting `x-setting` of this operation is absent, and so is the path.',
    empty: true,
  },
  NobodyHere: {
    status: '401',
    description:
      'The setting `x-setting` of this operation is absent, and so is the path, for whoever comes without a token.',
    alsoWithout: true,
  },
  QueryTooLong: { status: '431', description: 'Path and headers are longer than 16 KiB together.', empty: true },
  Unavailable: {
    status: '503',
    description: 'Try again: something that the answer needs is away, or the backend is starting.',
    codes: UNAVAILABLE_CODES,
    alsoWithout: true,
  },
  Failed: { status: '5XX', description: 'The backend, or one that it asks, failed.', alsoWithout: true },
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;

/** What every operation can answer */
export const TO_EVERYBODY: readonly RefusalName[] = ['TooManyRequests', 'Failed'];

/** What an operation answers where its setting is absent */
export const WHERE_NOT_SET: readonly RefusalName[] = ['NotSetHere', 'NobodyHere'];

/** What every operation that asks for a token can answer in addition */
export const ALWAYS: readonly RefusalName[] = ['Unauthenticated', 'Forbidden', 'Unavailable'];

/** An error as Backstage writes it; more may stand beside what is described, and may come */
export function errorBody({ codes: known, alsoWithout }: Refusal): z.ZodType {
  const code = known && z.enum(known).describe('Stable');
  return z.looseObject({
    error: z.looseObject({
      name: z.string(),
      message: z.string(),
      ...(code ? { code: alsoWithout ? code.optional() : code } : {}),
    }),
    request: z.strictObject({ method: z.string(), url: z.string() }).optional(),
    response: z.looseObject({ statusCode: z.int() }),
  });
}
