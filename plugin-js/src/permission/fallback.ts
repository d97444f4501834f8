import { createExtensionPoint } from '@backstage/backend-plugin-api';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { z } from 'zod';
import { within } from '../service/within';

/** A policy that has to think for longer than this is taken not to answer */
const ANSWER_MS = 10_000;

/** Where a policy of the company's own registers, to be asked about what our rules do not speak about */
export interface PolicyFallbackExtensionPoint {
  /** @throws Error when there is one already */
  setFallbackPolicy(policy: PermissionPolicy): void;
}

/** For modules of the plugin `permission` */
export const policyFallbackExtensionPoint = createExtensionPoint<PolicyFallbackExtensionPoint>({
  id: 'entra-access.policy-fallback',
});

/** Takes one policy */
export class PolicyFallback implements PolicyFallbackExtensionPoint {
  policy?: PermissionPolicy;

  setFallbackPolicy(policy: PermissionPolicy): void {
    if (this.policy) {
      throw new Error(
        'a fallback policy is set already: two of them could contradict each other, so join them into one',
      );
    }
    this.policy = policy;
  }
}

const criteriaSchema: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ anyOf: z.array(criteriaSchema).min(1) }),
    z.strictObject({ allOf: z.array(criteriaSchema).min(1) }),
    z.strictObject({ not: criteriaSchema }),
    z.object({
      rule: z.string(),
      resourceType: z.string(),
      params: z.record(z.string(), z.unknown()).optional(),
    }),
  ]),
);

const answerSchema = z.discriminatedUnion('result', [
  z.object({ result: z.literal(AuthorizeResult.ALLOW) }),
  z.object({ result: z.literal(AuthorizeResult.DENY) }),
  z.object({
    result: z.literal(AuthorizeResult.CONDITIONAL),
    pluginId: z.string(),
    resourceType: z.string(),
    conditions: criteriaSchema,
  }),
]);

/**
 * Asks the other policy.
 * @returns its answer, or why it counts as none: it failed, took too long, or answered what Backstage could not use
 */
export async function askFallback(
  policy: PermissionPolicy,
  request: PolicyQuery,
  user: PolicyQueryUser,
  milliseconds = ANSWER_MS,
): Promise<PolicyDecision | string> {
  let answer: unknown;
  try {
    answer = await within(milliseconds, Promise.resolve(policy.handle(request, user)));
  } catch (error) {
    // By name only: a message may quote whom it is about.
    return `the fallback policy failed (${error instanceof Error ? error.name : 'no Error'})`;
  }
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) return 'the answer of the fallback policy is none';
  // Backstage would let the whole batch fail.
  const { data } = parsed;
  const { permission } = request;
  const fits =
    data.result !== AuthorizeResult.CONDITIONAL ||
    (isResourcePermission(permission) && permission.resourceType === data.resourceType);
  return fits ? (data as PolicyDecision) : 'the condition of the fallback policy is for another type of resource';
}
