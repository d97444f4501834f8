/** What Graph knows of the simulated tenants: users and service principals with everything that they are members of. */
import { managedIdentity, workloads, type Workload } from './applications';
import { SimulatedDirectory } from './directory';
import { agents, groups, people, transitiveGroups, type Group, type User } from './people';
import { HOME_TENANT_ID } from './tenantIds';

export type ObjectKind = 'users' | 'servicePrincipals';

/** A membership as `transitiveMemberOf` lists it */
export interface Membership {
  readonly type: 'group' | 'directoryRole' | 'administrativeUnit';
  readonly id: string;
  readonly displayName: string;
  /** Only of groups */
  readonly securityEnabled?: boolean;
}

/** Ids that must never count as groups, whatever a token says */
export const directoryRoles = {
  globalReader: directoryRole('8c5e1f70-b94a-4d63-8f27-a0d6e3c9b415', 'Global Reader'),
  userAdministrator: directoryRole('27f0b6d8-4e95-4a1c-93be-6c8d0f5a7e12', 'User Administrator'),
};

const headquarters: Membership = {
  type: 'administrativeUnit',
  id: 'd1a7c3f5-60e8-4b29-b5d4-9f2e8c06a371',
  displayName: 'Headquarters',
};

/** Which a user may join without being asked: a group, but none that security hangs on */
const lunchClub: Membership = {
  type: 'group',
  id: '6e94d2b0-f837-4c5a-a1e6-05b7c8f3d92e',
  displayName: 'Lunch Club',
  securityEnabled: false,
};

/** Groups of service principals: Graph knows them, a token never lists them */
const workloadGroups: ReadonlyMap<string, readonly Group[]> = new Map([
  [workloads.scanner.oid, [groups.paymentsOnCall]],
  [workloads.autonomousAgent.oid, [groups.searchEngineers]],
]);

const extra: ReadonlyMap<string, readonly Membership[]> = new Map([
  [people.adam.oid, [directoryRoles.globalReader, headquarters]],
  [people.otto.oid, [directoryRoles.globalReader, lunchClub]],
  [people.maxine.oid, [directoryRoles.userAdministrator, headquarters, lunchClub]],
]);

const users: readonly User[] = [...Object.values<User>(people), agents.agentUser.user];
const servicePrincipals: readonly Workload[] = [...Object.values<Workload>(workloads), managedIdentity];

/** The directory of a tenant as it is at first */
export function settledDirectory(tenantId: string, clock: () => number): SimulatedDirectory {
  const directory = new SimulatedDirectory(clock);
  for (const user of users) if (user.tenantId === tenantId) directory.settle(user);
  for (const { oid, tenantId: home } of servicePrincipals)
    if (home === tenantId) directory.settle({ oid, groups: workloadGroups.get(oid) ?? [] }, 'servicePrincipal');
  return directory;
}

/**
 * Everything that an object of this tenant is a member of, at any depth; `undefined` if there is no such object. Only what was
 * there at first, without those that have left a group since
 */
export function membershipsOf(
  kind: ObjectKind,
  id: string,
  tenantId: string,
  directory: SimulatedDirectory,
): Membership[] | undefined {
  const here = (each: User | Workload) => each.oid === id.toLowerCase() && each.tenantId === tenantId;
  const found = kind === 'users' ? users.find(here) : servicePrincipals.find(here);
  if (!found) return undefined;
  const settled = found.kind === 'user' ? found.groups : (workloadGroups.get(found.oid) ?? []);
  const direct = settled.filter(group => directory.groups.get(group.id)?.members.has(found.oid));
  const security = transitiveGroups({ groups: direct }).map(({ id: group, displayName }): Membership => ({
    type: 'group',
    id: group,
    displayName,
    securityEnabled: true,
  }));
  return [...(extra.get(found.oid) ?? []), ...security];
}

/** Object ids of all groups of a tenant */
export function groupIdsOf(tenantId: string): ReadonlySet<string> {
  const here = users.filter(each => each.tenantId === tenantId).flatMap(user => transitiveGroups(user));
  const own = tenantId === HOME_TENANT_ID ? [...Object.values<Group>(groups), lunchClub] : [groups.fabrikamStaff];
  const foreign = tenantId === HOME_TENANT_ID ? groups.fabrikamStaff.id : undefined;
  return new Set([...here, ...own].map(({ id }) => id).filter(id => id !== foreign));
}

function directoryRole(id: string, displayName: string): Membership {
  return { type: 'directoryRole', id, displayName };
}
