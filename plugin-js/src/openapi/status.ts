/** Ages in seconds, and what is wrong */
import { z } from 'zod';
import { count, named, timeAnswer } from './schema';

const age = count.nullable().describe('Seconds; null: not yet');
const error = z.string().optional();
const grade = z.enum(['ok', 'warning', 'error', 'skipped']).describe('skipped: could not be checked');

export const statusAnswer = named(
  'Status',
  z.strictObject({
    version: z.string(),
    core: z.strictObject({ available: z.boolean(), instance: count, principals: count }),
    epoch: count,
    policy: z.strictObject({
      rules: count,
      file: z.string().optional(),
      ageSeconds: age,
      error,
      warnings: z.array(z.string()),
    }),
    sessions: count,
    sessionStore: z.strictObject({ kind: z.enum(['database', 'starting', 'memory']), error }),
    audit: z.strictObject({
      kind: z.enum(['off', 'starting', 'database']),
      reads: z.enum(['none', 'count', 'all']),
      unavailable: z.enum(['refuse', 'answer']),
      retentionDays: count.optional(),
      chain: z.string().describe('The chain of this replica'),
      recorded: count,
      waiting: count,
      lost: count,
      error,
    }),
    keys: z.array(
      z.strictObject({ issuer: z.string(), keys: count, ageSeconds: age, trustedUntil: timeAnswer.optional(), error }),
    ),
    graph: z.array(
      z.strictObject({
        tenant: z.string(),
        state: z.enum(['idle', 'ok', 'failing']),
        lastSuccess: timeAnswer.nullable(),
        error,
        directoryRoles: z.strictObject({ count: count.optional(), error }),
      }),
    ),
    directory: z.strictObject({
      ageSeconds: age,
      epoch: count,
      groups: count,
      owners: count,
      nested: count,
      problems: z.array(z.strictObject({ entityRef: z.string(), message: z.string() })),
      error,
    }),
    follow: z
      .array(
        z.strictObject({
          tenant: z.string(),
          complete: z.boolean().describe('Whether accounts and groups were loaded, so that they count'),
          ageSeconds: z.number().nullable().describe('Since all of it was what Graph had; null: not yet'),
          lagSeconds: z.number().describe('For which this replica has not had what the database has'),
          feeds: z.array(
            z.strictObject({
              feed: z.string(),
              state: z.enum(['loading', 'following', 'held']),
              revision: count,
              pages: count.optional().describe('Of the load under way'),
              error,
            }),
          ),
          error,
          notifications: z
            .strictObject({ taken: count, refused: count, error })
            .optional()
            .describe('Change notifications, where they are asked for'),
        }),
      )
      .optional()
      .describe('With `groups.source: graph`: how following Entra goes'),
    entra: z
      .strictObject({
        staleAfterSeconds: count,
        tenants: z.array(
          z.strictObject({
            tenant: z.string(),
            stale: z.boolean().describe('Too old, or not loaded yet: groups are unknown'),
            ageSeconds: z.number().nullable(),
            revoked: count.describe('Accounts that are not in force'),
            error,
          }),
        ),
        breakGlass: z.array(z.strictObject({ name: z.string(), uses: count, lastUse: timeAnswer.nullable() })),
      })
      .optional()
      .describe('With `groups.source: graph`: how far each tenant is known'),
    checks: z
      .strictObject({
        ranAt: timeAnswer.nullable(),
        worst: grade.nullable(),
        findings: z
          .array(
            z.strictObject({
              check: z.string(),
              about: z.string(),
              outcome: grade,
              what: z.string(),
              fix: z.string().optional(),
            }),
          )
          .readonly(),
        error,
      })
      .describe('What `entra-access doctor` checks, by the running backend; null: not yet'),
  }),
);

export type Status = z.output<typeof statusAnswer>;
