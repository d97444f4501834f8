/** The token inspector: what is asked and answered */
import { z } from 'zod';
import { REJECTION_CODES } from '../core/codes';
import type { Inspection, Principal } from '../core/types';
import { count, named, schemaOf } from './schema';

export const inspectionQuestion = named(
  'TokenQuestion',
  z.strictObject({
    token: z.string().min(1).describe('The token; it is not logged, kept or sent back'),
    purpose: z
      .enum(['access', 'sign-in'])
      .optional()
      .describe('What it is offered as. Default: `access`; `sign-in` judges an ID token'),
  }),
);

export const rejectionCode = named(
  'RejectionCode',
  z.enum(REJECTION_CODES).describe('Why a token was refused; stable'),
);

export const principalKind = z.enum(['user', 'workload', 'agent', 'pipeline']);

const texts = z.record(z.string(), z.string());

const pipelineJob = z.strictObject({
  type: z.enum(['gitlab', 'bitbucket', 'github']),
  trust: z.string().describe('Name of the trust entry'),
  subject: z.string().describe('Immutable id of the project or repository'),
  published: texts.describe('The claims by which policies may select'),
  job: texts.describe('What is kept for the audit; it authorizes nothing'),
  singleUse: z
    .strictObject({ issuer: z.string(), jti: z.string(), until: z.number() })
    .optional()
    .describe('While it is there the token has to be claimed first'),
});

/** What is known of a caller beside groups and times */
export const identityFields = {
  kind: principalKind,
  issuer: z.string().describe('Id of the issuer profile, such as `entra-v2:<tenant>`'),
  tenantId: z.string(),
  objectId: z.string(),
  clientId: z.string().nullable(),
  actor: z
    .strictObject({ clientId: z.string(), autonomous: z.boolean().optional() })
    .nullable()
    .describe('The agent, where one acts'),
  roles: z.array(z.string()).describe('App roles'),
  name: z.string().nullable().describe('For display only'),
  assurance: z
    .strictObject({ authContexts: z.array(z.string()), mfa: z.boolean(), signedInAt: z.number().nullable() })
    .optional()
    .describe('How strongly the caller signed in; absent: nothing is known'),
  pipeline: pipelineJob.optional(),
};

export const groupState = named(
  'GroupState',
  z.enum(['known', 'unknown', 'none']).describe('How much is known about groups; unknown is never empty'),
);

const principal = named(
  'Principal',
  schemaOf<Principal>()(
    z.strictObject({
      ...identityFields,
      groups: z.strictObject({ state: groupState, ids: z.array(z.string()) }),
      issuedAt: count.optional().describe('Of the token: seconds since the epoch'),
      expiresAt: count.describe('Seconds since the epoch'),
    }),
  ),
);

export const inspection = named(
  'Inspection',
  schemaOf<Inspection>()(
    z.strictObject({
      verdict: z.enum(['accepted', 'rejected']),
      code: rejectionCode.optional(),
      principal: principal.optional(),
      checks: z.array(
        z.strictObject({
          check: z.string(),
          expected: z.string(),
          actual: z.string(),
          outcome: z.enum(['pass', 'fail', 'skipped']),
          hint: z.string().optional().describe('The setting to change'),
        }),
      ),
    }),
  ),
);
