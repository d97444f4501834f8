/** Explanations of decisions: what is asked and answered */
import { z } from 'zod';
import type { ConsideredRule, Criteria, Fact, ForeignRule, Ownership, StepUp } from '../core/types';
import type { ExplainedDecision, WouldAllow } from '../explain/explained';
import { groupState, principalKind } from './inspection';
import { count, entityRef, named, schemaOf } from './schema';

export const decisionQuestion = named(
  'DecisionQuestion',
  z
    .strictObject({
      permission: z
        .string()
        .regex(/^[^\x00-\x1f\x7f-\x9f]{1,256}$/u, 'expected a name of 1 to 256 characters')
        .describe('Name of a permission as its plugin declares it, such as `catalog.entity.refresh`'),
      resourceRef: entityRef
        .optional()
        .describe('Entity ref of the resource; without one it is told what it depends on'),
      principal: entityRef.optional().describe('Entity ref of whom to ask about. Default: the caller'),
    })
    .meta({ examples: [{ permission: 'catalog.entity.refresh', resourceRef: 'component:default/payments-api' }] }),
);

export const effect = named('Effect', z.enum(['ALLOW', 'DENY', 'CONDITIONAL']));

const foreignRule = named(
  'ForeignRule',
  schemaOf<ForeignRule>()(
    z
      .strictObject({ rule: z.string(), params: z.record(z.string(), z.unknown()).optional() })
      .describe('A permission rule of the plugin that has the resource'),
  ),
);

const criteria: z.ZodType<Criteria> = named(
  'Criteria',
  z
    .lazy(() =>
      z.union([
        z.strictObject({ owned: z.boolean() }),
        foreignRule,
        z.strictObject({ not: foreignRule }),
        z.strictObject({ allOf: z.array(criteria) }),
        z.strictObject({ anyOf: z.array(criteria) }),
      ]),
    )
    .describe('A condition on a resource'),
);

const stepUp = named(
  'StepUp',
  schemaOf<StepUp>()(
    z.strictObject({
      authContext: z.string().optional(),
      mfa: z.literal(true).optional(),
      signedInWithin: z.number().optional().describe('Seconds'),
      claims: z.string().optional().describe('For the parameter `claims` of a token request'),
    }),
  ),
);

const consideredRule = named(
  'ConsideredRule',
  schemaOf<ConsideredRule>()(
    z.strictObject({
      rule: z.string().nullable().describe('null: the caller may not know it'),
      effect: z.enum(['allow', 'deny']),
      kind: principalKind.describe(
        'As what the principal was considered: the person for whom an agent calls is a user',
      ),
      outcome: z
        .enum(['applies', 'depends', 'not'])
        .describe('depends: on what is not known of the resource, or on groups that the caller may not know'),
      clause: z.enum(['principals', 'requires', 'when']).nullable().describe('What kept it from applying'),
      why: z.string(),
    }),
  ),
);

const ownership = named(
  'Ownership',
  schemaOf<Ownership>()(
    z.strictObject({
      owners: z.array(z.string()),
      owned: z.boolean().nullable().describe('null: that is not certain, or the caller may not know it'),
      path: z
        .strictObject({ owners: z.array(z.string()), groups: z.array(z.string()) })
        .nullable()
        .describe(
          'From an owner through those inside it to the Entra group, and on to the one that the principal is in',
        ),
    }),
  ),
);

const fact = named(
  'Fact',
  schemaOf<Fact>()(
    z
      .discriminatedUnion('fact', [
        z.strictObject({ fact: z.literal('groupsKnown') }),
        z.strictObject({ fact: z.literal('group'), group: z.string().optional(), owner: z.string().optional() }),
        z.strictObject({ fact: z.literal('role'), role: z.string().optional() }),
        z.strictObject({
          fact: z.literal('signIn'),
          authContext: z.string().optional(),
          mfa: z.literal(true).optional(),
          signedInWithin: z.number().optional().describe('Seconds'),
        }),
        z.strictObject({ fact: z.literal('owned'), holds: z.boolean() }),
        z.strictObject({
          fact: z.literal('rule'),
          holds: z.boolean(),
          rule: z.string().optional(),
          params: z.record(z.string(), z.unknown()).optional(),
        }),
      ])
      .describe('What is not so, but could be; what the caller may not know is left out'),
  ),
);

const wouldAllow = named(
  'WouldAllow',
  schemaOf<WouldAllow>()(
    z.strictObject({
      ways: z.array(z.strictObject({ rule: z.string().nullable(), facts: z.array(fact), text: z.string() })),
      blockedBy: z.array(z.string()).describe('Rules that deny it as things are'),
      complete: z.boolean().describe('Whether these are all ways of at most four facts'),
      text: z.string().optional().describe('Where there is no way'),
    }),
  ),
);

export const explanation = named(
  'Explanation',
  schemaOf<ExplainedDecision>()(
    z.strictObject({
      result: effect,
      rule: z.string().nullable(),
      reasons: z.array(z.string()),
      conditions: z
        .strictObject({ owned: z.boolean().optional(), owners: z.array(z.string()), criteria: criteria.optional() })
        .optional(),
      stepUp: z.array(stepUp).optional().describe('What a sign-in would have to be like to change a refusal'),
      fallback: z.literal(true).optional().describe('No rule speaks about it, and another policy is asked'),
      onBehalfOf: z
        .strictObject({ agent: z.string().nullable(), agentResult: effect, person: z.string(), personResult: effect })
        .optional()
        .describe('An agent and the person for whom it calls; both must be allowed'),
      groups: z.strictObject({
        state: groupState,
        count: count.nullable().describe('null: the caller may not know it'),
        matched: z.array(z.string()),
        reason: z.string().optional().describe('Why they are not known'),
      }),
      epoch: count.describe('Version of directory, policy and keys'),
      rules: z.array(consideredRule).describe('Every rule that is about the permission'),
      ownership: ownership.optional().describe('Where a resource was named'),
      wouldAllow: wouldAllow
        .optional()
        .describe(
          'Of a refusal: each way is enough, and none of its facts can be left out. Absent where that hangs on groups that the caller may not know',
        ),
      withheld: z.array(z.enum(['groups', 'rules'])).describe('What the caller may not know and is left out'),
    }),
  ),
);
