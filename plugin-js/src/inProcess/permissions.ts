import type { AuthService, PermissionsService, PermissionsServiceRequestOptions } from '@backstage/backend-plugin-api';
import {
  AuthorizeResult,
  type AuthorizePermissionRequest,
  type AuthorizePermissionResponse,
  type DefinitivePolicyDecision,
  type Permission,
  type PolicyDecision,
  type QueryPermissionRequest,
} from '@backstage/plugin-permission-common';
import type { Circumstances, Judged } from '../permission/policy';
import { isPlain } from './plain';
import type { VerifiedUsers } from './verifiedUsers';

/** The policy that Backstage asks, as far as it is needed here */
export interface LocalPolicy {
  readonly installed: boolean;
  ready(entityRef: string): Promise<void> | undefined;
  /** `undefined` where another policy may have to be asked */
  judge(permission: Permission, entityRef: string): Judged | undefined;
  /** What to wait for before an answer is given */
  record(judged: Judged, asked: Permission, entityRef: string, of: Circumstances): Promise<void> | undefined;
}

/** What answering in the process needs */
export interface InProcessOptions {
  auth: AuthService;
  /** Backstage's own service, over HTTP */
  stock: PermissionsService;
  policy: LocalPolicy;
  users: VerifiedUsers;
  /** Whether permissions are checked at all */
  enabled: boolean;
  /** `permission.EXPERIMENTAL_enableBatchedRequests` */
  batched: boolean;
  /** The plugin that asks */
  plugin?: string;
}

/** A question of either method */
type Query = { permission: Permission; resourceRef?: unknown };

/**
 * Backstage's permissions service without HTTP: the policy is asked where it is.
 *
 * A call with anything in it that is not a plain question of a signed-in user to our own policy is left to Backstage's service: services
 * (which it answers in the process, too), requests without credentials, credentials that the permission backend would refuse,
 * questions that it would refuse, conditions that another plugin has to apply to a resource, and what the fallback policy decides.
 */
export class InProcessPermissions implements PermissionsService {
  readonly #options: InProcessOptions;

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  async authorize(
    requests: AuthorizePermissionRequest[],
    options: PermissionsServiceRequestOptions,
  ): Promise<AuthorizePermissionResponse[]> {
    const { batched, stock } = this.#options;
    // In batches it joins questions by the name of the permission, in ways of its own.
    const answers = batched ? undefined : await this.#answers(requests, options, definitive);
    return answers ?? stock.authorize(requests, options);
  }

  async authorizeConditional(
    queries: QueryPermissionRequest[],
    options: PermissionsServiceRequestOptions,
  ): Promise<PolicyDecision[]> {
    // On a resource it would apply the condition.
    const answerOf = (decision: PolicyDecision, { resourceRef }: Query) =>
      resourceRef === undefined ? isolated(decision) : definitive(decision);
    return (
      (await this.#answers(queries, options, answerOf)) ?? this.#options.stock.authorizeConditional(queries, options)
    );
  }

  /** All answers; `undefined` where Backstage's service has to give one of them, which costs no more than giving them all */
  async #answers<A>(
    queries: readonly Query[],
    options: PermissionsServiceRequestOptions | undefined,
    answerOf: (decision: PolicyDecision, query: Query) => A | undefined,
  ): Promise<A[] | undefined> {
    const caller = await this.#callerOf(queries, options);
    if (caller === undefined) return undefined;
    const { policy, plugin } = this.#options;
    const [answers, given]: [A[], Array<[Judged, Query]>] = [[], []];
    for (const query of queries) {
      const judged = policy.judge(query.permission, caller);
      const answer = judged && answerOf(judged.answer, query);
      if (judged === undefined || answer === undefined) return undefined;
      answers.push(answer);
      given.push([judged, query]);
    }
    // Not before it is known that they are given here.
    const recorded = given.map(([judged, { permission, resourceRef }]) =>
      policy.record(judged, permission, caller, {
        plugin,
        resource: typeof resourceRef === 'string' ? resourceRef : undefined,
      }),
    );
    await Promise.all(recorded);
    return answers;
  }

  /** The user whose questions can be answered here; `undefined` where Backstage's service has to */
  async #callerOf(
    queries: readonly Query[],
    // From JavaScript it may be left out.
    options: PermissionsServiceRequestOptions | undefined,
  ): Promise<string | undefined> {
    const { auth, policy, users, enabled } = this.#options;
    if (!enabled || !policy.installed || !options || !('credentials' in options)) return undefined;
    if (!auth.isPrincipal(options.credentials, 'user') || !queries.every(isPlain)) return undefined;
    const entityRef = await users.entityRefOf(auth, options.credentials);
    if (entityRef !== undefined) await policy.ready(entityRef);
    return entityRef;
  }
}

/** A decision that needs no resource */
function definitive({ result }: PolicyDecision): DefinitivePolicyDecision | undefined {
  return result === AuthorizeResult.CONDITIONAL ? undefined : { result };
}

/** As it would come over HTTP: shared with nobody, so that whoever gets it may change it */
function isolated(decision: PolicyDecision): PolicyDecision {
  return definitive(decision) ?? (JSON.parse(JSON.stringify(decision)) as PolicyDecision);
}
