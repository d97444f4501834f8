import type { RejectionCode } from './codes';

/** Names a verified principal inside the core; only ever obtained from it, and valid for one instance of it */
export type PrincipalHandle = number & { readonly __brand: 'PrincipalHandle' };

/** A trusted issuer */
export interface Issuer {
  /** Number of the profile */
  index: number;
  /** Such as `entra-v2:<tenant>` */
  id: string;
  /** The exact `iss` */
  issuer: string;
  discoveryUrl: string;
  tenantId: string;
  /** Base URL of sign-in in the tenant's cloud */
  authority: string;
  /** Base URL of Microsoft Graph in the tenant's cloud; empty where there is none */
  graph: string;
}

/** A verified caller; `expiresAt` in seconds since the epoch */
export interface Principal {
  kind: 'user' | 'workload' | 'agent' | 'pipeline';
  /** Id of the issuer profile */
  issuer: string;
  tenantId: string;
  objectId: string;
  clientId: string | null;
  actor: { clientId: string } | null;
  groups: { state: GroupState; ids: string[] };
  roles: string[];
  /** For display only */
  name: string | null;
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

/** A decision; `ground` tells why no rule is named */
export interface Decision {
  effect: 'ALLOW' | 'DENY' | 'CONDITIONAL';
  /** What a conditional decision hangs on: the resource is, or is not, owned by the principal */
  dependence?: 'owned' | 'notOwned';
  rule?: string;
  ground: 'rule' | 'default' | 'unknownPrincipal' | 'notReady' | 'coreUnavailable';
}

/** An explained decision */
export interface Explanation {
  result: 'ALLOW' | 'DENY' | 'CONDITIONAL';
  rule: string | null;
  reasons: string[];
  conditions?: { owned: boolean; owners: string[] };
  /** `reason`: why they are not known, beginning with `groups_unknown: ` */
  groups: { state: GroupState; count: number; matched: string[]; reason?: string };
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

/** What the catalog says about groups and owners */
export interface DirectoryInput {
  /** Group entities with the annotation `graph.microsoft.com/group-id`, its value unchecked; without locations none is trusted */
  groups: Array<{ entityRef: string; groupId: unknown } & LocationRefs>;
  /** Entities that own something; `undefined` when that is not known */
  owners?: string[];
}

/** What became of it */
export interface DirectoryReport {
  groups: number;
  owners: number;
  problems: Array<{ entityRef: string; message: string }>;
}

/** What became of published keys */
export interface KeySetReport {
  usable: number;
  refused: Array<{ kid: string; reason: string }>;
}

/** A tagged outcome of the core */
export type Outcome<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** A mistake in configuration or policy */
export interface Mistake {
  path: string;
  message: string;
  hint?: string | null;
}
