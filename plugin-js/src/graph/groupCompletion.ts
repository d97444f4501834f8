import type { EntraCore, PrincipalHandle } from '../core';
import type { Sessions } from '../service/sessions';
import type { GroupResolver } from './groupResolver';
import type { Subject } from './tenantGroups';

/** Longest wait of a decision for the groups of somebody who is signed in; they arrive for the next one */
const PATIENCE_MS = 2_000;

const LEFT_OUT = 'the token leaves the groups out (overage, or no `groups` claim is configured)';

/** Completes principals whose groups are unknown, as soon as Graph tells them; everybody else passes at no cost */
export class GroupCompletion {
  readonly #core: EntraCore;
  readonly #sessions: Sessions;
  readonly #resolver?: GroupResolver;

  /** Without a resolver nobody is asked, and unknown stays unknown */
  constructor(core: EntraCore, sessions: Sessions, resolver?: GroupResolver) {
    this.#core = core;
    this.#sessions = sessions;
    this.#resolver = resolver;
  }

  /** Completes a caller by token, or leaves its groups unknown; asked again whenever the same token comes again */
  async caller(principal: PrincipalHandle): Promise<void> {
    if (!this.#resolver || !this.#core.groupsUnknown(principal)) return;
    const subject = this.#core.describe(principal);
    if (!subject) return;
    const resolution = await this.#resolver.resolve(subject);
    if (resolution.ok) this.#core.completeGroups(principal, resolution.ids);
  }

  /**
   * Completes whoever is signed in under a ref: who signed in while Graph was away need not sign in again.
   * @returns what to wait for; `undefined` when there is nothing to complete
   */
  session(entityRef: string): Promise<void> | undefined {
    // What the core has not read may be anything: it comes from a database.
    const handle = this.#resolver && this.#sessions.find(entityRef);
    if (!this.#resolver || handle === undefined) return undefined;
    const record = this.#sessions.record(entityRef);
    if (record?.groups.state !== 'unknown') return undefined;
    const standing = this.#core.standing(handle);
    // Where the directory's word counts, or nobody's, there is nothing to complete.
    if (standing?.gap || standing?.live) return undefined;
    const completed = this.#resolver.resolve(record).then(resolution => {
      if (resolution.ok) this.#sessions.complete(entityRef, record, resolution.ids);
    });
    return orTooLong(completed);
  }

  /** Why the groups of a principal are not known, with the stable code in front */
  reason(subject: Subject): string {
    const asked = this.#resolver?.reasonFor(subject);
    const why = this.#resolver
      ? (asked ?? 'Microsoft Graph has not answered yet')
      : `${LEFT_OUT}; set \`entraAccess.groups.overage: graph\` to ask Microsoft Graph`;
    return `groups_unknown: ${why}; unknown is never taken for membership`;
  }
}

async function orTooLong(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([work, patience]).finally(() => clearTimeout(timer));
}
