import type { RejectionCode } from './codes';

/** Names a verified principal inside the core; only ever obtained from it, and valid for one instance of it */
export type PrincipalHandle = number & { readonly __brand: 'PrincipalHandle' };

/** A trusted issuer */
export interface Issuer {
  /** Number of the profile */
  index: number;
  /** Such as `entra-v2:<tenant>`, or `pipeline:<id>` */
  id: string;
  /** The exact `iss` */
  issuer: string;
  discoveryUrl: string;
  /** Empty where it issues tokens of jobs */
  tenantId: string;
  /** Base URL of sign-in in the tenant's cloud; empty where there is none */
  authority: string;
  /** Base URL of Microsoft Graph in the tenant's cloud; empty where there is none */
  graph: string;
  /** Whose jobs it issues tokens of; absent for Entra */
  pipeline?: PipelineType;
}

/** A CI system */
export type PipelineType = 'gitlab' | 'bitbucket' | 'github';

/** A verified CI job */
export interface PipelineJob {
  type: PipelineType;
  /** Name of the trust entry */
  trust: string;
  /** Immutable id of the project or repository */
  subject: string;
  /** The claims by which policies may select */
  published: Record<string, string>;
  /** What is kept for the audit, by the names that the issuer gives it; it authorizes nothing */
  job: Record<string, string>;
  /** While it is there the token has to be claimed first, and until then the principal is nobody; see {@link EntraCore.claimed} */
  singleUse?: {
    /** The exact `iss` */
    issuer: string;
    jti: string;
    /** From when on the token is refused anyway, in seconds since the epoch */
    until: number;
  };
}

/** Which entity stands for a principal; of the section `entraAccess.identity` */
export interface IdentitySettings {
  /** Entity ref into which `{oid}` and `{tid}` are put, for whoever has no User entity */
  readonly entityRef: string;
  /** Tenants whose people are looked up among the users of the catalog */
  readonly catalogTenants: readonly string[];
}

/** A verified caller; `expiresAt` in seconds since the epoch */
export interface Principal {
  kind: 'user' | 'workload' | 'agent' | 'pipeline';
  /** Id of the issuer profile */
  issuer: string;
  /** Zero for a pipeline, which is of no tenant; the same for `objectId` */
  tenantId: string;
  objectId: string;
  clientId: string | null;
  /** `autonomous`: an agent that acts for nobody but itself */
  actor: { clientId: string; autonomous?: boolean } | null;
  groups: { state: GroupState; ids: string[] };
  roles: string[];
  /** For display only */
  name: string | null;
  /** How strongly the caller signed in; absent: nothing is known */
  assurance?: { authContexts: string[]; mfa: boolean; signedInAt: number | null };
  /** When its token was issued, in seconds since the epoch; absent: not known, and so older than anything */
  issuedAt?: number;
  /** The job, exactly when it is a pipeline */
  pipeline?: PipelineJob;
  expiresAt: number;
}

/** How much is known about groups; unknown is never empty */
export type GroupState = 'known' | 'unknown' | 'none';

/** What a token is offered as: an access token for this API, or an ID token at a place that asks for one */
export type Purpose = 'access' | 'sign-in';

/** What the core says to a token */
export type Authentication =
  | { ok: true; principal: PrincipalHandle }
  | { ok: false; code: RejectionCode; advice: string; issuer?: Issuer }
  | { ok: false; code: 'core_unavailable'; advice: string; issuer?: undefined };

/** What the token inspector shows */
export interface Inspection {
  verdict: 'accepted' | 'rejected';
  code?: RejectionCode;
  /** Whom it proves: when it was accepted, or refused as `principal_revoked` */
  principal?: Principal;
  checks: Array<{
    check: string;
    expected: string;
    actual: string;
    outcome: 'pass' | 'fail' | 'skipped';
    hint?: string;
  }>;
}

/** A permission as its plugin declares it */
export interface PermissionInput {
  name: string;
  action?: 'create' | 'read' | 'update' | 'delete';
  resourceType?: string;
}

/**
 * A condition on a resource, without any `not` but at a rule of another plugin: what is, or is certainly not, owned by the
 * caller, and what rules of the plugin hold of
 */
export type Criteria =
  | { owned: boolean }
  | ForeignRule
  | { not: ForeignRule }
  | { allOf: readonly Criteria[] }
  | { anyOf: readonly Criteria[] };

/** A permission rule of the plugin that has the resource */
export interface ForeignRule {
  rule: string;
  params?: Readonly<Record<string, unknown>>;
}

/**
 * A decision; `ground` tells why no rule is named: `default` where for certain no rule speaks about it, `unmet` where one does,
 * but asks for what is not met or not known
 */
export interface Decision {
  effect: 'ALLOW' | 'DENY' | 'CONDITIONAL';
  /** What a conditional decision hangs on: the resource is, or is not, owned by the principal, or more than that */
  dependence?: 'owned' | 'notOwned' | 'criteria';
  /** The condition where it is more than ownership; frozen */
  criteria?: Criteria;
  rule?: string;
  ground:
    | 'rule'
    | 'default'
    | 'unmet'
    | 'breakGlass'
    | 'principalRevoked'
    | 'unknownPrincipal'
    | 'notReady'
    | 'conditionTooLong'
    | 'coreUnavailable';
}

/** What a rule asks of the sign-in; `signedInWithin` in seconds */
export interface Requirement {
  authContext?: string;
  mfa?: true;
  signedInWithin?: number;
}

/** The same with what a client asks Entra for */
export interface StepUp extends Requirement {
  /** JSON for the parameter `claims` of a token request, where Entra has one: for an authentication context */
  claims?: string;
}

/** An explained decision */
export interface Explanation {
  result: 'ALLOW' | 'DENY' | 'CONDITIONAL';
  rule: string | null;
  reasons: string[];
  /** `criteria` where the condition is more than ownership */
  conditions?: { owned?: boolean; owners: string[]; criteria?: Criteria };
  /** What a sign-in would have to be like to change a refusal: all of it is enough */
  stepUp?: StepUp[];
  /** No rule speaks about it, and another policy is asked: its answer is not known here */
  fallback?: true;
  /** An agent and the person for whom it calls, `<tenant id>/<object id>`; both must be allowed */
  onBehalfOf?: {
    agent: string | null;
    agentResult: Decision['effect'];
    person: string;
    personResult: Decision['effect'];
  };
  /** `count`: `null` where the reader may not know it; `reason`: why they are not known, beginning with `groups_unknown: ` */
  groups: { state: GroupState; count: number | null; matched: string[]; reason?: string };
}

/** How one rule of the policy bears on a question */
export interface ConsideredRule {
  /** `null` where the reader may not know it */
  rule: string | null;
  effect: 'allow' | 'deny';
  /** As what the caller was considered: the person for whom an agent calls is a `user` */
  kind: Principal['kind'];
  /** `depends`: on what is not known of the resource, or on groups that the reader may not know */
  outcome: 'applies' | 'depends' | 'not';
  /** The part of the rule that kept it from applying */
  clause: 'principals' | 'requires' | 'when' | null;
  why: string;
}

/** By whom a resource is owned, and how the principal comes to own it */
export interface Ownership {
  /** As the catalog says */
  owners: string[];
  /** `null` where that is not certain, or the reader may not know it */
  owned: boolean | null;
  /**
   * From an owner through the owners inside it to the Entra group, and through the groups inside that to the one that the
   * principal is in; no groups where it is the owner itself
   */
  path: { owners: string[]; groups: string[] } | null;
}

/** What is not so, but could be; what the reader may not know is left out */
export type Fact =
  | { fact: 'groupsKnown' }
  /** `owner`: the owner of the resource that the group stands for */
  | { fact: 'group'; group?: string; owner?: string }
  | { fact: 'role'; role?: string }
  | ({ fact: 'signIn' } & Requirement)
  | { fact: 'owned'; holds: boolean }
  | ({ fact: 'rule'; holds: boolean } & Partial<ForeignRule>);

/** What would turn a refusal */
export interface Remedies {
  /** Each is enough, and none of its facts can be left out; the shortest first. `rule`: by which, `null` where the reader may not know */
  ways: Array<{ rule: string | null; facts: Fact[] }>;
  /** Rules that deny it as things are */
  blockedBy: string[];
  /** Whether these are all ways of at most four facts */
  complete: boolean;
}

/** Who reads an explanation */
export interface Audience {
  /** May read the whole policy: also the rules that are for others */
  policy: boolean;
  /** May read the groups of anybody */
  groups: boolean;
  /** Is the principal itself */
  own: boolean;
  /** Entra groups that they can read of elsewhere */
  known: readonly string[];
}

/** What the reader may not know and is therefore left out */
export type Withheld = 'groups' | 'rules';

/** An explained decision with every rule that was considered for it */
export interface Study {
  explanation: Explanation;
  /** Those that cover the permission: for the caller, and then for the person for whom an agent calls */
  rules: ConsideredRule[];
  /** The rules of the resource's plugin that they name, each once, as JSON text of a {@link ForeignRule}; those that bear on it first */
  asks: string[];
  /** Where a resource was named */
  ownership?: Ownership;
  /** Of a refusal, unless it hangs on groups that the reader may not know */
  wouldAllow?: Remedies;
  withheld: Withheld[];
}

/** What rules of the resource's plugin say of it, by the texts of {@link Study.asks}; what is not named was not asked */
export interface Answered {
  holds: string[];
  fails: string[];
}

/** A resource with its owners, as read from the catalog */
export interface ResourceInput {
  entityRef: string;
  owners: string[];
}

/** The two annotations with which Backstage says where an entity comes from: where it stands, and where reading began */
export interface LocationRefs {
  /** `backstage.io/managed-by-location` */
  location?: string;
  /** `backstage.io/managed-by-origin-location` */
  origin?: string;
}

/** A Group entity as the catalog has it; without locations it is not trusted */
export interface CatalogGroupInput extends LocationRefs {
  entityRef: string;
  /** The annotation `graph.microsoft.com/group-id`, its value unchecked; left out without it */
  groupId?: unknown;
  /** `spec.parent` as a full entity ref, or as it stands there if it is none */
  parent?: string;
  /** `spec.children`, likewise */
  children?: string[];
}

/** What the catalog says about groups and owners */
export interface DirectoryInput {
  /** All Group entities: what one nests counts whether it is bound or not */
  groups: CatalogGroupInput[];
  /** Entities that own something; `undefined` when that is not known */
  owners?: string[];
}

/** What became of it */
export interface DirectoryReport {
  /** Entra groups that are bound */
  groups: number;
  /** Owners that they stand for */
  owners: number;
  /** How often an owner is directly inside another */
  nested: number;
  problems: Array<{ entityRef: string; message: string }>;
}

/** What a page of members held */
export interface PageReport {
  groups: number;
  members: number;
}

/** What became of the pages */
export interface MembersReport {
  groups: number;
  principals: number;
  memberships: number;
  nested: number;
  /** Memory of the whole directory */
  bytes: number;
}

/** What became of accounts */
export interface AccountsReport {
  /** Accounts of the tenant that are disabled or deleted */
  outOfForce: number;
}

/** How far a tenant is known */
export interface Freshly {
  tenant: string;
  /** When it was last known whole, in seconds since the epoch */
  completedAt: number;
  ageSeconds: number;
  /** Too old, so that the groups of its people are unknown */
  stale: boolean;
  /** Why it cannot be judged */
  error?: string;
}

/** What the directory says of somebody */
export interface Standing {
  /** Why they are refused, whatever the rules say: `principal_revoked` */
  revoked?: 'disabled' | 'deleted' | 'signedOut' | 'absent';
  /** Why their groups are not known, where the directory would have to know them */
  gap?: 'notLoaded' | 'stale' | 'newAccount';
  /** Whether their groups are the directory's word, and not their token's */
  live: boolean;
}

/** What became of published keys */
export interface KeySetReport {
  usable: number;
  /** When they stop to count, in seconds since the epoch */
  trustedUntil: number;
  refused: Array<{ kid: string; reason: string }>;
}

/** A tagged outcome of the core */
export type Outcome<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** A mistake in configuration or policy */
export interface Mistake {
  path: string;
  message: string;
  /** Of the file where it stands */
  line?: number;
  hint?: string | null;
}
