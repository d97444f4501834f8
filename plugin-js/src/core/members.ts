import { UNAVAILABLE, type CoreLife } from './life';
import type { MembersReport, Outcome, PageReport } from './types';
import type { WasmCore } from './wasm';

/** Names a member of a tenant's groups; valid until members are loaded again */
export type Member = number & { readonly __brand: 'Member' };

/** The pages of one loading, kept for a fresh instance: about a kilobyte for each user. Changes add up until all are loaded */
interface Load {
  all: boolean;
  pages: Uint8Array[];
}

const NOBODY = 0xffff_ffff;

/** Who is in which Entra group: pages of `GET /groups/delta?$select=members`, all of them and then what changes */
export class Members {
  readonly #life: CoreLife;
  /** By tenant: a full loading, and the changes since */
  readonly #loads = new Map<string, Load[]>();

  constructor(life: CoreLife) {
    this.#life = life;
  }

  /** Begins to load `all` members of a tenant's groups, or the `changes` since; what is under way is given up */
  begin(tenantId: string, what: 'all' | 'changes'): Outcome<MembersLoading, string> {
    const all = what === 'all';
    const earlier = all ? [] : (this.#loads.get(tenantId) ?? []);
    return this.#life.ask<Outcome<MembersLoading, string>>(
      ({ core }) => {
        const refused = core.begin_members(tenantId, all);
        if (refused) return { ok: false, error: refused };
        const loads = [...earlier, { all, pages: [] }];
        const done = () => this.#loads.set(tenantId, loads);
        return { ok: true, value: new MembersLoading(this.#life, core, tenantId, loads, done) };
      },
      { ok: false, error: UNAVAILABLE.advice },
    );
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

/** Members on their way into the directory: nothing counts before {@link commit} */
export class MembersLoading {
  readonly #life: CoreLife;
  /** The instance that has the pages; let go when it has taken them */
  #core?: WasmCore;
  readonly #tenantId: string;
  readonly #loads: readonly Load[];
  readonly #done: () => void;

  constructor(life: CoreLife, core: WasmCore, tenantId: string, loads: readonly Load[], done: () => void) {
    this.#life = life;
    this.#core = core;
    this.#tenantId = tenantId;
    this.#loads = loads;
    this.#done = done;
  }

  /** Reads a page, as Microsoft Graph sent it. After an error the loading is given up: a part is not the whole */
  add(page: Uint8Array): Outcome<PageReport, string> {
    return this.#life.ask<Outcome<PageReport, string>>(
      ({ core }) => {
        if (core !== this.#core) return { ok: false, error: 'the core was restarted: begin again' };
        const outcome = JSON.parse(core.add_members(page)) as Outcome<PageReport, string>;
        if (outcome.ok) this.#loads.at(-1)?.pages.push(page);
        return outcome;
      },
      { ok: false, error: UNAVAILABLE.advice },
    );
  }

  /** Swaps to what was loaded; a fresh instance of the core is told the same again */
  commit(): Outcome<MembersReport, string> {
    const telling = (core: WasmCore): Outcome<MembersReport, string> => {
      if (core !== this.#core) replay(core, this.#tenantId, this.#loads);
      this.#core = undefined;
      return JSON.parse(core.commit_members());
    };
    if (this.#life.alive !== undefined && this.#life.alive.core !== this.#core) {
      return { ok: false, error: 'the core was restarted: begin again' };
    }
    const outcome = this.#life.tell(`members of ${this.#tenantId}`, telling, UNAVAILABLE.advice as string);
    if (outcome.ok) this.#done();
    return outcome;
  }
}

/** Everything but the last commit */
function replay(core: WasmCore, tenantId: string, loads: readonly Load[]): void {
  loads.forEach(({ all, pages }, at) => {
    if (at > 0) core.commit_members();
    core.begin_members(tenantId, all);
    for (const page of pages) core.add_members(page);
  });
}
