/**
 * Who lives in the simulated tenants: fixed object ids, so that tests, policies and the catalog can name them.
 */
import { agentIdentity, type AgentIdentity, type Workload } from './applications';
import { FOREIGN_TENANT_ID, HOME_TENANT_ID } from './tenantIds';

/** An Entra security group; `memberOf` nests it in others */
export interface Group {
  readonly id: string;
  readonly displayName: string;
  readonly memberOf: readonly Group[];
}

/** A user object in the directory of `tenantId`; a guest's object lives in the tenant that invited them */
export interface User {
  readonly kind: 'user';
  /** Short name for `/mint?as=` */
  readonly key: string;
  readonly name: string;
  readonly tenantId: string;
  readonly oid: string;
  readonly userName: string;
  /** Direct memberships; a token carries the transitive ones too */
  readonly groups: readonly Group[];
  readonly appRoles?: readonly string[];
  readonly guest?: { readonly homeTenantId: string; readonly email: string };
}

/** An AI agent that holds a user token: for a person, or for a user account of its own */
export interface Agent {
  readonly kind: 'agent';
  readonly key: string;
  readonly name: string;
  readonly tenantId: string;
  readonly identity: AgentIdentity;
  readonly user: User;
  /** The account itself belongs to an agent, so no person stands behind it */
  readonly ownAccount: boolean;
}

export type Principal = User | Agent | Workload;

const payments = group('a4c1d7e2-6b3f-4f58-92d0-1e7a5c8b3f60', 'payments');
const paymentsEngineers = group('72b0e5f4-9a1d-4c6e-a835-d2f94b6c0e17', 'payments-engineers', [payments]);

export const groups = {
  payments,
  /** Nested in `payments`: what the owner owns can hang on either of the two */
  paymentsEngineers,
  /** Nested in `payments-engineers`: two levels below the group that owns */
  paymentsOnCall: group('5d08a3e7-f1b4-4c92-8a6d-37e90c5f2b18', 'payments-on-call', [paymentsEngineers]),
  /** Inside no other Entra group: only the catalog says whose team it is */
  refunds: group('be41f7d0-3a96-4c58-8d1e-6f02c9a5b873', 'refunds'),
  searchEngineers: group('c9e25b71-0d84-4e3a-b6f7-83a14d5e9c12', 'search-engineers'),
  platformAdmins: group('e06f3a98-51c7-4d2b-8e94-6b7d20f1a5c3', 'platform-admins'),
  fabrikamStaff: group('1d7b94c6-e85a-4a0f-9b23-f4c6078e2d51', 'fabrikam-staff'),
};

export const people = {
  olivia: person('olivia', 'Olivia Owner', '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21', [groups.paymentsEngineers]),
  dana: person('dana', 'Dana Developer', '8e4c72a1-f60b-4d95-b3e8-97a2c1d5f034', [groups.searchEngineers]),
  rita: person('rita', 'Rita Reader', '0a6f91d8-3c5e-4b72-8d40-e1b9f7c24a65', []),
  adam: person('adam', 'Adam Admin', 'd35e8b07-94f2-4c1a-a6d9-2f80b5e3c716', [groups.platformAdmins]),
  otto: person('otto', 'Otto Overage', '61c8f2e5-b07d-4e94-9a3b-5d4f0e7c1a82', [
    groups.paymentsEngineers,
    ...manyGroups(249),
  ]),
  nina: person('nina', 'Nina Nested', '3b7e90d5-1c48-4fa2-b6d9-e80f5a2c7146', [groups.paymentsOnCall]),
  chloe: person('chloe', 'Chloe Child', '47d1c0a9-e85f-4b36-92d7-1a6f3e8b05c4', [groups.refunds]),
  /** More groups than Graph lists in one answer */
  maxine: person('maxine', 'Maxine Many', 'a90c4e17-6d2b-4835-9fe1-5b8d37c2f064', [
    groups.paymentsEngineers,
    ...manyGroups(11_249),
  ]),
  greg: {
    ...person('greg', 'Greg Guest', '94f7a3c0-5e1b-4d68-87c2-b6e09d2f5a34', []),
    userName: 'greg_fabrikam.example#EXT#@contoso.example',
    guest: { homeTenantId: FOREIGN_TENANT_ID, email: 'greg@fabrikam.example' },
  },
  frank: {
    ...person('frank', 'Frank Foreign', '2c0e6d9b-a758-4f13-9e84-7b1d5a3f0c96', [groups.fabrikamStaff]),
    tenantId: FOREIGN_TENANT_ID,
    userName: 'frank@fabrikam.example',
  },
};

/** The account of an agent user: looks exactly like a person but for `xms_sub_fct` */
const assistantAccount: User = person('assistant', 'Payments Assistant', 'f81d4a5c-6e92-4b07-83c1-0d9e7f2b5a48', [
  groups.paymentsEngineers,
]);

export const agents = {
  onBehalfOfOlivia: agent('agent', 'Agent for Olivia Owner', people.olivia, false),
  onBehalfOfDana: agent('agent-for-dana', 'Agent for Dana Developer', people.dana, false),
  agentUser: agent('agent-user', 'Payments Assistant', assistantAccount, true),
};

/** Direct and nested memberships, each once: with `SecurityGroup` in the manifest a token lists them all */
export function transitiveGroups(user: Pick<User, 'groups'>): Group[] {
  const found = new Set<Group>();
  const visit = (memberships: readonly Group[]) => {
    for (const membership of memberships) {
      if (found.has(membership)) continue;
      found.add(membership);
      visit(membership.memberOf);
    }
  };
  visit(user.groups);
  return [...found];
}

function group(id: string, displayName: string, memberOf: readonly Group[] = []): Group {
  return { id, displayName, memberOf };
}

function person(key: string, name: string, oid: string, memberships: readonly Group[]): User {
  const userName = `${key}@contoso.example`;
  return { kind: 'user', key, name, tenantId: HOME_TENANT_ID, oid, userName, groups: memberships };
}

function agent(key: string, name: string, user: User, ownAccount: boolean): Agent {
  return { kind: 'agent', key, name, tenantId: HOME_TENANT_ID, identity: agentIdentity, user, ownAccount };
}

function manyGroups(count: number): Group[] {
  return Array.from({ length: count }, (_, index) =>
    group(`0f9e0000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`, `mailing-list-${index + 1}`),
  );
}
