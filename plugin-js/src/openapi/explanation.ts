/** Explanations of decisions: what is asked and answered */
import { z } from 'zod';
import type { Criteria, Explanation, ForeignRule, StepUp } from '../core/types';
import { groupState } from './inspection';
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

export const explanation = named(
  'Explanation',
  schemaOf<Explanation>()(
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
        count,
        matched: z.array(z.string()),
        reason: z.string().optional().describe('Why they are not known'),
      }),
    }),
  ),
);
