/**
 * The directory of a simulated tenant: accounts, groups and who is directly in them, with everything that happened to them, for
 * delta queries and change notifications.
 */
import type { Group, User } from './people';

export type MemberKind = 'user' | 'group' | 'servicePrincipal';

export interface Account {
  accountEnabled: boolean;
  /** As Graph writes it */
  validFrom: string;
  /** Soft-deleted accounts can be restored */
  removed?: 'changed' | 'deleted';
}

export interface DirectoryGroup {
  readonly members: Map<string, MemberKind>;
  removed?: 'changed' | 'deleted';
}

/** Something that happened; its place in the list is its number */
export interface Change {
  readonly kind: 'users' | 'groups';
  readonly id: string;
  /** Who came to the group or left it */
  readonly member?: string;
}

const LONG_AGO = '2024-01-02T03:04:05Z';

export class SimulatedDirectory {
  readonly users = new Map<string, Account>();
  readonly groups = new Map<string, DirectoryGroup>();
  readonly changes: Change[] = [];
  readonly #clock: () => number;
  /** Told of every change as it happens */
  readonly listeners: Array<(change: Change) => void> = [];

  /** @param clock seconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Takes in a person with their groups and whatever these are in */
  settle({ oid, groups }: Pick<User, 'oid' | 'groups'>, kind: MemberKind = 'user'): void {
    if (kind === 'user') this.users.set(oid, { accountEnabled: true, validFrom: LONG_AGO });
    const join = (group: Group, member: string, as: MemberKind) => {
      this.#group(group.id).members.set(member, as);
      for (const above of group.memberOf) join(above, group.id, 'group');
    };
    for (const group of groups) join(group, oid, kind);
  }

  addUser(id: string): void {
    this.users.set(id, { accountEnabled: true, validFrom: LONG_AGO });
    this.#happened({ kind: 'users', id });
  }

  setEnabled(id: string, accountEnabled: boolean): void {
    this.#account(id).accountEnabled = accountEnabled;
    this.#happened({ kind: 'users', id });
  }

  /** Ends all sign-ins up to now; Graph counts in seconds */
  revokeSessions(id: string): void {
    this.#account(id).validFrom = `${new Date(this.#clock() * 1000).toISOString().slice(0, 19)}Z`;
    this.#happened({ kind: 'users', id });
  }

  /** Softly first, for good on demand */
  removeUser(id: string, removed: 'changed' | 'deleted' = 'changed'): void {
    this.#account(id).removed = removed;
    this.#happened({ kind: 'users', id });
  }

  restoreUser(id: string): void {
    delete this.#account(id).removed;
    this.#happened({ kind: 'users', id });
  }

  addMember(group: string, member: string, kind: MemberKind = 'user'): void {
    this.#group(group).members.set(member, kind);
    this.#happened({ kind: 'groups', id: group, member });
  }

  removeMember(group: string, member: string): void {
    this.#group(group).members.delete(member);
    this.#happened({ kind: 'groups', id: group, member });
  }

  removeGroup(id: string, removed: 'changed' | 'deleted' = 'changed'): void {
    this.#group(id).removed = removed;
    this.#happened({ kind: 'groups', id });
  }

  restoreGroup(id: string): void {
    delete this.#group(id).removed;
    this.#happened({ kind: 'groups', id });
  }

  /** Ids of the groups that an object is directly in */
  groupsOf(member: string): string[] {
    return [...this.groups].filter(([, { members, removed }]) => !removed && members.has(member)).map(([id]) => id);
  }

  #account(id: string): Account {
    const found = this.users.get(id);
    if (!found) throw new Error(`the simulated directory has no user ${id}`);
    return found;
  }

  #group(id: string): DirectoryGroup {
    const found = this.groups.get(id) ?? { members: new Map() };
    this.groups.set(id, found);
    return found;
  }

  #happened(change: Change): void {
    this.changes.push(change);
    for (const listener of this.listeners) listener(change);
  }
}
