/** A tenant as Microsoft Graph tells it, handed to the core as whoever follows it would */
import { createBackendPlugin } from '@backstage/backend-plugin-api';
import { groups, people, transitiveGroups, type Group, type User } from '../../dev/tenant/people';
import { HOME_TENANT_ID } from '../../dev/tenant/tenantIds';
import { entraAccessServiceRef } from '../../src/service/ref';
import type { EntraAccess } from '../../src/service/entraAccess';

/** An account as `/users/delta` lists it */
interface Account {
  id: string;
  accountEnabled?: boolean;
  signInSessionsValidFromDateTime?: string;
  '@removed'?: { reason: string };
}

const page = (value: unknown[]) => Buffer.from(JSON.stringify({ value }));
const isHome = ({ tenantId }: User) => tenantId === HOME_TENANT_ID;
const now = () => Math.floor(Date.now() / 1000);

/** Everybody of the home tenant in force, in the groups that they are in */
export class Followed {
  #entraAccess?: EntraAccess;
  readonly #accounts = new Map<string, Account>();
  readonly #members = new Map<string, Set<string>>();
  readonly #nested = new Map<string, Set<string>>();

  constructor() {
    for (const person of Object.values<User>(people).filter(isHome)) {
      this.#accounts.set(person.oid, { id: person.oid, accountEnabled: true });
      for (const group of person.groups) this.#in(this.#members, group).add(person.oid);
      for (const group of transitiveGroups(person)) {
        for (const outer of group.memberOf) this.#in(this.#nested, outer).add(group.id);
      }
    }
    for (const group of Object.values(groups)) this.#in(this.#members, group);
  }

  /** To be installed in the backend */
  readonly feature = createBackendPlugin({
    pluginId: 'followed',
    register: env => {
      env.registerInit({
        deps: { entraAccess: entraAccessServiceRef },
        init: async ({ entraAccess }) => {
          this.#entraAccess = entraAccess;
        },
      });
    },
  });

  get entraAccess(): EntraAccess {
    if (!this.#entraAccess) throw new Error('the backend has not started');
    return this.#entraAccess;
  }

  /** Loads the tenant whole */
  load(): void {
    this.#commit(this.entraAccess.core.accounts.begin(HOME_TENANT_ID, 'all'), [...this.#accounts.values()]);
    this.#loadMembers();
    this.completedAt(now());
  }

  /** Says when it was last known whole */
  completedAt(seconds: number): void {
    this.entraAccess.core.freshness.set(HOME_TENANT_ID, seconds);
  }

  /** What changes about an account */
  change(person: User, change: Omit<Account, 'id'>): void {
    const account = { id: person.oid, ...change };
    this.#commit(this.entraAccess.core.accounts.begin(HOME_TENANT_ID, 'changes'), [account]);
  }

  /** Takes somebody out of a group, or puts them in */
  member(person: User, group: Group, is: boolean): void {
    const members = this.#in(this.#members, group);
    if (is) members.add(person.oid);
    else members.delete(person.oid);
    this.#loadMembers();
  }

  #loadMembers(): void {
    const list = (ids: Iterable<string>, kind: string) =>
      [...ids].map(id => ({ '@odata.type': `#microsoft.graph.${kind}`, id }));
    const all = new Set([...this.#members.keys(), ...this.#nested.keys()]);
    const entries = [...all].map(id => ({
      id,
      'members@delta': [...list(this.#members.get(id) ?? [], 'user'), ...list(this.#nested.get(id) ?? [], 'group')],
    }));
    this.#commit(this.entraAccess.core.members.begin(HOME_TENANT_ID, 'all'), entries);
    this.entraAccess.membership.current += 1;
  }

  #commit(begun: Begun, entries: unknown[]): void {
    if (!begun.ok) throw new Error(begun.error);
    for (const outcome of [begun.value.add(page(entries)), begun.value.commit()])
      if (!outcome.ok) throw new Error(outcome.error);
  }

  #in(map: Map<string, Set<string>>, { id }: Group): Set<string> {
    const found = map.get(id) ?? new Set<string>();
    map.set(id, found);
    return found;
  }
}

type Done = { ok: true } | { ok: false; error: string };
type Begun = { ok: true; value: { add(page: Uint8Array): Done; commit(): Done } } | { ok: false; error: string };
