import { UNAVAILABLE, type CoreLife } from './life';
import type { MembersReport, Outcome, PageReport } from './types';
import type { WasmCore } from './wasm';

/** Names a member of a tenant's groups; valid until members are loaded again */
export type Member = number & { readonly __brand: 'Member' };

/** Makes the same pages anew, of what was committed last */
export type MakePages = () => Iterable<Uint8Array>;

/**
 * The pages of one loading, kept for a fresh instance: about a kilobyte for each user. Changes add up until all are loaded,
 * or until whoever loads says how to make pages.
 */
interface Load {
  all: boolean;
  pages: Uint8Array[] | MakePages;
}

/** Whom a loading belongs to */
interface Owner {
  done(loads: readonly Load[]): void;
  /** Whether no other has begun since, which the core would take the pages for */
  isLatest(): boolean;
}

const NOBODY = 0xffff_ffff;

/** Who is in which Entra group: pages of `GET /groups/delta?$select=members`, all of them and then what changes */
export class Members {
  readonly #life: CoreLife;
  /** By tenant: a full loading, and the changes since */
  readonly #loads = new Map<string, readonly Load[]>();
  /** The core has one loading at a time, whatever the tenant */
  #latest?: readonly Load[];

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
        const pages: Uint8Array[] = [];
        const loads = [...earlier, { all, pages }];
        this.#latest = loads;
        const owner: Owner = {
          done: kept => this.#loads.set(tenantId, kept),
          isLatest: () => this.#latest === loads,
        };
        return { ok: true, value: new MembersLoading(this.#life, core, tenantId, { loads, pages }, owner) };
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
  /** Those of this loading, the last of `loads` */
  readonly #pages: Uint8Array[];
  readonly #owner: Owner;

  constructor(
    life: CoreLife,
    core: WasmCore,
    tenantId: string,
    { loads, pages }: { loads: readonly Load[]; pages: Uint8Array[] },
    owner: Owner,
  ) {
    this.#life = life;
    this.#core = core;
    this.#tenantId = tenantId;
    this.#loads = loads;
    this.#pages = pages;
    this.#owner = owner;
  }

  /**
   * Reads a page, as Microsoft Graph sends it. After an error the loading is given up: a part is not the whole. One that is
   * not `kept` has to be among those that {@link commit} is told how to make
   */
  add(page: Uint8Array, kept = true): Outcome<PageReport, string> {
    return this.#life.ask<Outcome<PageReport, string>>(
      ({ core }) => {
        const late = this.#tooLate(core);
        if (late) return late;
        const outcome = JSON.parse(core.add_members(page)) as Outcome<PageReport, string>;
        if (outcome.ok && kept) this.#pages.push(page);
        return outcome;
      },
      { ok: false, error: UNAVAILABLE.advice },
    );
  }

  /**
   * Swaps to what was loaded; a fresh instance of the core is told the same again: from the pages, or from those that `make`
   * makes of everything that is loaded by then
   */
  commit(make?: MakePages): Outcome<MembersReport, string> {
    const loads = make ? [{ all: true, pages: make }] : this.#loads;
    const telling = (core: WasmCore): Outcome<MembersReport, string> => {
      if (core !== this.#core) replay(core, this.#tenantId, loads);
      this.#core = undefined;
      return JSON.parse(core.commit_members());
    };
    const late = this.#life.alive && this.#tooLate(this.#life.alive.core);
    if (late) return late;
    const outcome = this.#life.tell(`members of ${this.#tenantId}`, telling, UNAVAILABLE.advice as string);
    if (outcome.ok) this.#owner.done(loads);
    return outcome;
  }

  /** Why the core has the pages no longer, if it has not */
  #tooLate(core: WasmCore): { ok: false; error: string } | undefined {
    if (core !== this.#core) return { ok: false, error: 'the core was restarted: begin again' };
    return this.#owner.isLatest() ? undefined : { ok: false, error: 'another loading has begun: begin again' };
  }
}

/** Everything but the last commit */
function replay(core: WasmCore, tenantId: string, loads: readonly Load[]): void {
  loads.forEach(({ all, pages }, at) => {
    if (at > 0) core.commit_members();
    core.begin_members(tenantId, all);
    for (const page of typeof pages === 'function' ? pages() : pages) core.add_members(page);
  });
}
