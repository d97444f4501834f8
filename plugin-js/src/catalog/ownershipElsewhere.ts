import type { LoggerService } from '@backstage/backend-plugin-api';
import { reasonOf } from '../http/bounded';
import type { Elsewhere, OwnershipVersion } from '../service/entraAccess';
import type { OwnersAnswer } from '../service/ownersQuestion';
import type { Wanted } from '../service/sharedSessions';
import { ANSWER_MS, type AskOwners } from './ownersClient';
import { ownersOf, type Owners, type Ownership } from './ownership';
import { KeptOwners, type Kept } from './keptOwners';
import type { OwnedByPrincipalParams } from './paramsSchema';

/** Not asked for again within so many milliseconds when a request comes in */
const FRESH_MS = 2_000;
/** From then on an answer is not used any more: a request takes less from coming in to being filtered */
const STALE_MS = 10_000;
/** How often the same is asked for again, when the answer was older than it has to be */
const AGAIN_MS = 500;
/** Most questions under way */
const MAX_ASKING = 200;
/** Most principals remembered about whom there was nothing to be told: anybody can make tokens up, nobody is verified yet */
const MAX_UNKNOWN = 2_000;

const DONE = Promise.resolve();

interface Options {
  ask: AskOwners;
  logger: Pick<LoggerService, 'info' | 'warn'>;
  /** For tests */
  clock?: () => number;
  kept?: KeptOwners;
}

/**
 * Who owns what, where sessions and directory are in another process (docs/split-deployment.md).
 *
 * Rules cannot wait, so owners are got when a request comes in, before anybody decides about it. They answer for a
 * decision by the numbers that it carries and no others, for seconds, and not at all after a failure.
 */
export class OwnershipElsewhere implements Ownership, Elsewhere {
  readonly #ask: AskOwners;
  readonly #logger: Options['logger'];
  readonly #clock: () => number;
  readonly #kept: KeptOwners;
  readonly #asking = new Map<string, Promise<void>>();
  readonly #unknown = new KeptOwners({ maxPrincipals: MAX_UNKNOWN });
  #error?: string;
  #unannounced = false;

  constructor({ ask, logger, clock = Date.now, kept = new KeptOwners() }: Options) {
    this.#ask = ask;
    this.#logger = logger;
    this.#clock = clock;
    this.#kept = kept;
  }

  ensure(entityRef: string, { until = 0, session = 0 }: Wanted = {}): Promise<void> {
    const kept = this.#find(entityRef);
    const known = kept && kept.asked.until >= until && kept.asked.session >= session;
    if (known && this.#clock() - kept.at < FRESH_MS) return DONE;
    return this.#get(entityRef, { epoch: 0, session, until });
  }

  knows(entityRef: string): boolean {
    return this.#usable(this.#find(entityRef));
  }

  owning(params: OwnedByPrincipalParams | undefined): Owners {
    return params && this.#of(params)?.owning;
  }

  possible(params: OwnedByPrincipalParams | undefined): Owners {
    return params && this.#of(params)?.possible;
  }

  #of({ principal, epoch, session }: OwnedByPrincipalParams): Kept['owners'] {
    const kept = this.#find(principal);
    if (this.#usable(kept) && kept.epoch >= epoch && kept.session >= session) return kept.owners;
    if (!kept) this.#wasNotAnnounced(principal);
    // For the next request; what was asked for a moment ago and did not come is not asked for again at once.
    const asked = kept && kept.asked.epoch >= epoch && kept.asked.session >= session;
    if (!asked || this.#clock() - kept.at >= AGAIN_MS) void this.#get(principal, { epoch, session, until: 0 });
    return undefined;
  }

  #usable(kept: Kept | undefined): kept is Kept {
    if (!kept?.owners) return false;
    const now = this.#clock();
    return now - kept.at < STALE_MS && now < kept.expiresAt * 1_000;
  }

  /** One question about somebody at a time; never fails */
  #get(principal: string, wanted: OwnershipVersion & { until: number }): Promise<void> {
    const asking = this.#asking.get(principal);
    if (asking) return asking;
    if (this.#asking.size >= MAX_ASKING) return DONE;
    // Of a token that nobody has verified yet.
    const until = Math.max(0, wanted.until);
    const version = this.#kept.get(principal)?.version;
    const asked = this.#ask({ principal, ...wanted, until, ...(version === undefined ? {} : { version }) })
      .then(answer => this.#answered(principal, wanted, answer))
      .catch((error: unknown) => this.#failed(principal, wanted, error))
      .finally(() => this.#asking.delete(principal));
    this.#asking.set(principal, asked);
    return asked;
  }

  #answered(principal: string, wanted: Kept['asked'], answer: OwnersAnswer): void {
    if (this.#error !== undefined) this.#logger.info('the plugin entra-access answers again: ownership is known');
    this.#error = undefined;
    if (answer.state === 'nobody') return this.#isUnknown(principal, wanted);
    const { epoch, session, expiresAt } = answer;
    // What the other process has, and what it did not have though it was asked for it.
    const asked = {
      epoch: Math.max(epoch, wanted.epoch),
      session: Math.max(session, wanted.session),
      until: Math.max(expiresAt, wanted.until),
    };
    const common = { at: this.#clock(), asked, epoch, session, expiresAt };
    this.#unknown.delete(principal);
    if (answer.state === 'signedIn') {
      const owners = { owning: read(answer.owning), possible: read(answer.possible) };
      this.#kept.set(principal, { ...common, version: answer.version, owners });
      return;
    }
    // Given up to make room while it was asked for: then nothing is known.
    const kept = this.#kept.get(principal);
    if (kept) this.#kept.set(principal, { ...kept, ...common });
  }

  /** What was known before may be over: it does not answer any more */
  #failed(principal: string, wanted: Kept['asked'], error: unknown): void {
    this.#isUnknown(principal, wanted);
    const reason = reasonOf(error, ANSWER_MS);
    if (reason !== this.#error) {
      this.#logger.warn(
        `the plugin entra-access in another backend does not tell who owns what (${reason}): until it does, nothing is ` +
          'owned by anybody here, and nothing is certainly not owned',
      );
    }
    this.#error = reason;
  }

  #isUnknown(principal: string, asked: Kept['asked']): void {
    this.#kept.delete(principal);
    this.#unknown.set(principal, { at: this.#clock(), asked, epoch: 0, session: 0, expiresAt: 0 });
  }

  #find(principal: string): Kept | undefined {
    return this.#kept.get(principal) ?? this.#unknown.get(principal);
  }

  #wasNotAnnounced(principal: string): void {
    if (this.#unannounced || this.#error !== undefined || this.#asking.has(principal)) return;
    this.#unannounced = true;
    this.#logger.warn(
      'a rule was asked about somebody whose request did not come through the token handler of Entra Access; the first ' +
        'request of everybody is refused. Is `backstage-plugin-entra-access-backend/direct` installed in this backend?',
    );
  }
}

function read(owners: string[] | null): Owners {
  return owners ? ownersOf(owners) : undefined;
}
