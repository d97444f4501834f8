import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import type { ActionsRegistryService } from '@backstage/backend-plugin-api/alpha';
import { askerOf, type Asker } from '../access/asker';
import type { CallerLimits } from '../access/callerLimit';
import {
  decisionExplainPermission,
  permissionNamed,
  tokenInspectPermission,
  whoamiReadPermission,
} from '../access/permissions';
import type { Questions } from '../access/questions';
import { OPERATIONS } from '../openapi/operations';
import { readInput } from '../openapi/request';

/** Looks, changes nothing, and says the same again */
const READ_ONLY = { readOnly: true, destructive: false, idempotent: true } as const;

/**
 * The questions as actions of Backstage's registry, for AI agents through the MCP server and for whoever else calls actions: with
 * the caller's own permissions and the answers of the HTTP routes, which are described there as a whole.
 */
export function registerActions({
  registry,
  questions,
  limits,
  permissions,
}: {
  registry: ActionsRegistryService;
  questions: Questions;
  limits: CallerLimits;
  permissions: PermissionsService;
}): void {
  /** Counted and let in as by the route of the same question */
  async function letIn(id: 'inspectToken' | 'explainDecision' | 'whoami', credentials: BackstageCredentials) {
    const { access, limit }: { access: { permission: string }; limit?: keyof CallerLimits } = OPERATIONS[id];
    if (limit) await limits[limit].count(credentials);
    const asker: Asker = askerOf(credentials, permissions);
    await asker.must(permissionNamed(access.permission));
    return asker;
  }

  registry.register({
    name: 'who-am-i',
    title: 'Who am I to Entra Access',
    description:
      'Says who the caller is to Entra Access: entity ref, kind of principal (user, workload, agent, pipeline), tenant and object id, ' +
      'app roles, the state and number of the Entra groups, the owners in the catalog on whose behalf the caller may act, and when the ' +
      'sign-in ends. Takes no input. Same answer as GET /api/entra-access/v1/whoami.',
    attributes: READ_ONLY,
    visibilityPermission: whoamiReadPermission,
    schema: {
      input: z => z.object({}).strict(),
      output: z => z.object({ type: z.string().optional(), entityRef: z.string().optional() }).passthrough(),
    },
    action: async ({ credentials }) => {
      await letIn('whoami', credentials);
      return { output: await questions.whoami(credentials) };
    },
  });

  registry.register({
    name: 'explain-access',
    title: 'Explain an access decision',
    description:
      'Says whether a permission is granted (ALLOW, DENY, or CONDITIONAL where it depends on the resource), which rule of the policy ' +
      'decided, and why. Use it when something in Backstage was refused or is missing from a list. ' +
      'Asks about the caller unless `principal` names somebody else, which takes the permission entra-access.decision.explain-others. ' +
      'Changes nothing. Same answer as POST /api/entra-access/v1/decisions/explain.',
    attributes: READ_ONLY,
    visibilityPermission: decisionExplainPermission,
    schema: {
      input: z =>
        z
          .object({
            permission: z.string().describe('Name of the permission, such as catalog.entity.delete'),
            resourceRef: z
              .string()
              .optional()
              .describe(
                'Entity ref of what it is about, such as component:default/payments-api; only what the caller may read',
              ),
            principal: z.string().optional().describe('Entity ref of somebody else, such as user:default/<object id>'),
          })
          .strict(),
      output: z =>
        z
          .object({
            result: z.enum(['ALLOW', 'DENY', 'CONDITIONAL']),
            rule: z.string().nullable(),
            reasons: z.array(z.string()),
          })
          .passthrough(),
    },
    action: async ({ input, credentials }) => {
      const asker = await letIn('explainDecision', credentials);
      const question = readInput(OPERATIONS.explainDecision.body, input);
      const { answer } = await questions.explain(asker, question);
      return { output: { ...answer } };
    },
  });

  registry.register({
    name: 'inspect-token',
    title: 'Inspect a token',
    description:
      'Shows every check of an Entra ID or CI token side by side (expected, actual, outcome, hint) and the stable code of the first that ' +
      'fails. The token is neither taken in, kept, logged, nor part of the answer. A token that is still valid is a secret: inspect one ' +
      'that its owner has handed over for that, or one that has expired. Same answer as POST /api/entra-access/v1/tokens/inspect.',
    attributes: READ_ONLY,
    visibilityPermission: tokenInspectPermission,
    schema: {
      input: z =>
        z
          .object({
            token: z.string().describe('The token as it was sent, without "Bearer"'),
            // No enum: the error of one repeats what it was given.
            purpose: z
              .string()
              .optional()
              .describe('What it was meant for: access (to an API, the default) or sign-in'),
          })
          .strict(),
      output: z =>
        z
          .object({
            verdict: z.enum(['accepted', 'rejected']),
            code: z.string().optional(),
            checks: z.array(z.object({}).passthrough()),
          })
          .passthrough(),
    },
    action: async ({ input, credentials }) => {
      await letIn('inspectToken', credentials);
      const question = readInput(OPERATIONS.inspectToken.body, input);
      return { output: { ...(await questions.inspect(question)) } };
    },
  });
}
