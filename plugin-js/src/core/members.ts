import type { CoreLife } from './life';
import { Loads, type Loading, type PageKind } from './loads';
import type { MembersReport, Outcome, PageReport } from './types';

/** Names a member of a tenant's groups; valid until members are loaded again */
export type Member = number & { readonly __brand: 'Member' };

/** Members on their way into the directory */
export type MembersLoading = Loading<PageReport, MembersReport>;

const NOBODY = 0xffff_ffff;

const MEMBERS: PageKind<PageReport, MembersReport> = {
  name: 'members',
  begin: (core, tenantId, all) => core.begin_members(tenantId, all),
  add: (core, page) => JSON.parse(core.add_members(page)),
  commit: core => JSON.parse(core.commit_members()),
};

/** Who is in which Entra group: pages of `GET /groups/delta?$select=members`, about a kilobyte for each user */
export class Members {
  readonly #life: CoreLife;
  readonly #loads: Loads<PageReport, MembersReport>;

  constructor(life: CoreLife) {
    this.#life = life;
    this.#loads = new Loads(life, MEMBERS);
  }

  /** Begins to load `all` members of a tenant's groups, or the `changes` since; what is under way is given up */
  begin(tenantId: string, what: 'all' | 'changes'): Outcome<MembersLoading, string> {
    return this.#loads.begin(tenantId, what);
  }

  /** Object ids of the groups that somebody is in, directly or not; `undefined` for whom the directory does not know */
  groupsOf(tenantId: string, objectId: string): string[] | undefined {
    const member = this.find(tenantId, objectId);
    if (member === undefined) return undefined;
    return this.#life.ask<string[] | undefined>(({ core }) => {
      core.resolve(member);
      return JSON.parse(core.resolved_groups()) as string[];
    }, undefined);
  }

  /** The number of a member, for {@link resolve} */
  find(tenantId: string, objectId: string): Member | undefined {
    const number = this.#life.ask(({ core }) => core.member(tenantId, objectId), NOBODY);
    return number === NOBODY ? undefined : (number as Member);
  }

  /** Numbers of all groups that a member is in, and of the owners above; the array is valid until the core is asked again */
  resolve(member: Member): Uint32Array {
    return this.#life.ask(({ core, memory }) => {
      const count = core.resolve(member);
      return new Uint32Array(memory.buffer, core.resolved(), count);
    }, new Uint32Array());
  }
}
