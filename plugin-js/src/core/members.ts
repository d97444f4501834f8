import { isGuid } from './guid';
import { UNAVAILABLE, type CoreLife } from './life';
import type { MembersReport, Outcome, PageReport } from './types';
import type { WasmCore } from './wasm';

/** Names a member of a tenant's groups; valid until members are loaded again */
export type Member = number & { readonly __brand: 'Member' };

/** Makes pages of everything that was committed last, for a fresh instance of the core */
export type MakePages = () => Iterable<Uint8Array>;

const NOBODY = 0xffff_ffff;
const NO_IDS = new Uint8Array();
const RESTARTED = { ok: false, error: 'the core was restarted: begin again' } as const;
const OVERTAKEN = { ok: false, error: 'another loading has begun: begin again' } as const;

/** Who is in which Entra group: pages of `GET /groups/delta?$select=members`, about a kilobyte for each user */
export class Members {
  readonly #life: CoreLife;
  /** The core has one loading at a time, whatever the tenant */
  #latest?: MembersLoading;

  constructor(life: CoreLife) {
    this.#life = life;
  }

  /**
   * Begins to load `all` members of a tenant's groups, or the `changes` since; what is under way is given up.
   *
   * `covered`: object ids of the groups whose direct members are all known then; `null` for all groups. About any other group that
   * does not list somebody the core says that it does not know, so that deny rules hold.
   */
  begin(tenantId: string, what: 'all' | 'changes', covered: readonly string[] | null): Outcome<MembersLoading, string> {
    if (covered && !covered.every(isGuid)) return { ok: false, error: 'the id of a group is not a GUID' };
    const scope = covered && Buffer.from(covered.join('').replaceAll('-', ''), 'hex');
    return this.#life.ask<Outcome<MembersLoading, string>>(
      ({ core }) => {
        const refused = core.begin_members(tenantId, what === 'all', scope !== null, scope ?? NO_IDS);
        if (refused) return { ok: false, error: refused };
        const isLatest = () => this.#latest === loading;
        const loading: MembersLoading = new MembersLoading(this.#life, core, { tenantId, scope }, isLatest);
        this.#latest = loading;
        return { ok: true, value: loading };
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

/** Which tenant is loaded, and which of its groups: 16 bytes for each, as the core takes them */
interface Of {
  tenantId: string;
  scope: Uint8Array | null;
}

/** Pages on their way into the directory: nothing counts before {@link commit} */
export class MembersLoading {
  readonly #life: CoreLife;
  /** The instance that has the pages; let go when it has taken them */
  #core?: WasmCore;
  readonly #of: Of;
  /** Whether no other has begun since, which the core would take the pages for */
  readonly #isLatest: () => boolean;

  constructor(life: CoreLife, core: WasmCore, of: Of, isLatest: () => boolean) {
    this.#life = life;
    this.#core = core;
    this.#of = of;
    this.#isLatest = isLatest;
  }

  /** Reads a page, as Microsoft Graph sends it. After an error the loading is given up: a part is not the whole */
  add(page: Uint8Array): Outcome<PageReport, string> {
    return this.#life.ask<Outcome<PageReport, string>>(
      ({ core }) => this.#tooLate(core) ?? (JSON.parse(core.add_members(page)) as Outcome<PageReport, string>),
      { ok: false, error: UNAVAILABLE.advice },
    );
  }

  /** Swaps to what was loaded. A fresh instance of the core is told the pages that `make` makes of everything that is loaded by then */
  commit(make: MakePages): Outcome<MembersReport, string> {
    const { tenantId, scope } = this.#of;
    const telling = (core: WasmCore): Outcome<MembersReport, string> => {
      if (core !== this.#core) {
        core.begin_members(tenantId, true, scope !== null, scope ?? NO_IDS);
        for (const page of make()) core.add_members(page);
      }
      this.#core = undefined;
      return JSON.parse(core.commit_members()) as Outcome<MembersReport, string>;
    };
    const late = this.#life.alive && this.#tooLate(this.#life.alive.core);
    return late ?? this.#life.tell(`members of ${tenantId}`, telling, UNAVAILABLE.advice as string);
  }

  /** Why the core has the pages no longer, if it has not */
  #tooLate(core: WasmCore): { ok: false; error: string } | undefined {
    if (core !== this.#core) return RESTARTED;
    return this.#isLatest() ? undefined : OVERTAKEN;
  }
}
