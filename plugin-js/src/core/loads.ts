import { UNAVAILABLE, type CoreLife } from './life';
import type { Outcome } from './types';
import type { WasmCore } from './wasm';

/** How the core takes pages of one kind */
export interface PageKind<Page, Report> {
  /** Such as `members` */
  name: string;
  /** An empty text, or why not */
  begin(core: WasmCore, tenantId: string, all: boolean): string;
  add(core: WasmCore, page: Uint8Array): Outcome<Page, string>;
  commit(core: WasmCore): Outcome<Report, string>;
}

/** Makes the same pages anew, of what was committed last */
export type MakePages = () => Iterable<Uint8Array>;

/**
 * The pages of one loading, kept for a fresh instance. Changes add up until all are loaded, or until whoever loads says how to
 * make pages of everything.
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

/** Pages of delta queries, all of them and then what changes: told again to a fresh instance of the core */
export class Loads<Page, Report> {
  readonly #life: CoreLife;
  readonly #kind: PageKind<Page, Report>;
  /** By tenant: a full loading, and the changes since */
  readonly #loads = new Map<string, readonly Load[]>();
  /** The core has one loading of a kind at a time, whatever the tenant */
  #latest?: readonly Load[];

  constructor(life: CoreLife, kind: PageKind<Page, Report>) {
    this.#life = life;
    this.#kind = kind;
  }

  /** Begins to load `all` of a tenant, or the `changes` since; what is under way is given up */
  begin(tenantId: string, what: 'all' | 'changes'): Outcome<Loading<Page, Report>, string> {
    const all = what === 'all';
    const earlier = all ? [] : (this.#loads.get(tenantId) ?? []);
    return this.#life.ask<Outcome<Loading<Page, Report>, string>>(
      ({ core }) => {
        const refused = this.#kind.begin(core, tenantId, all);
        if (refused) return { ok: false, error: refused };
        const pages: Uint8Array[] = [];
        const loads = [...earlier, { all, pages }];
        this.#latest = loads;
        const owner: Owner = {
          done: kept => this.#loads.set(tenantId, kept),
          isLatest: () => this.#latest === loads,
        };
        const loading = new Loading(this.#life, this.#kind, core, tenantId, { loads, pages }, owner);
        return { ok: true, value: loading };
      },
      { ok: false, error: UNAVAILABLE.advice },
    );
  }
}

/** Pages on their way into the directory: nothing counts before {@link commit} */
export class Loading<Page, Report> {
  readonly #life: CoreLife;
  readonly #kind: PageKind<Page, Report>;
  /** The instance that has the pages; let go when it has taken them */
  #core?: WasmCore;
  readonly #tenantId: string;
  readonly #loads: readonly Load[];
  /** Those of this loading, the last of them */
  readonly #pages: Uint8Array[];
  readonly #owner: Owner;

  constructor(
    life: CoreLife,
    kind: PageKind<Page, Report>,
    core: WasmCore,
    tenantId: string,
    { loads, pages }: { loads: readonly Load[]; pages: Uint8Array[] },
    owner: Owner,
  ) {
    this.#life = life;
    this.#kind = kind;
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
  add(page: Uint8Array, kept = true): Outcome<Page, string> {
    return this.#life.ask<Outcome<Page, string>>(
      ({ core }) => {
        const late = this.#tooLate(core);
        if (late) return late;
        const outcome = this.#kind.add(core, page);
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
  commit(make?: MakePages): Outcome<Report, string> {
    const loads = make ? [{ all: true, pages: make }] : this.#loads;
    const telling = (core: WasmCore): Outcome<Report, string> => {
      if (core !== this.#core) this.#replay(core, loads);
      this.#core = undefined;
      return this.#kind.commit(core);
    };
    const late = this.#life.alive && this.#tooLate(this.#life.alive.core);
    if (late) return late;
    const outcome = this.#life.tell(`${this.#kind.name} of ${this.#tenantId}`, telling, UNAVAILABLE.advice as string);
    if (outcome.ok) this.#owner.done(loads);
    return outcome;
  }

  /** Why the core has the pages no longer, if it has not */
  #tooLate(core: WasmCore): { ok: false; error: string } | undefined {
    if (core !== this.#core) return { ok: false, error: 'the core was restarted: begin again' };
    return this.#owner.isLatest() ? undefined : { ok: false, error: 'another loading has begun: begin again' };
  }

  /** Everything but the last commit */
  #replay(core: WasmCore, loads: readonly Load[]): void {
    loads.forEach(({ all, pages }, at) => {
      if (at > 0) this.#kind.commit(core);
      this.#kind.begin(core, this.#tenantId, all);
      for (const page of typeof pages === 'function' ? pages() : pages) this.#kind.add(core, page);
    });
  }
}
