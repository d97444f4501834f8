import type { LoggerService } from '@backstage/backend-plugin-api';
import { ServiceUnavailableError } from '@backstage/errors';
import { coded } from './coded';
import type { SessionStore } from './sessionStore';
import { within } from './within';
import { errorWord } from './errorWord';

/** How long one question may take */
const ANSWER_MS = 5_000;
/** How long a sign-in waits at the start for the database to be attached */
const WAIT_MS = 10_000;
/** For how long after a failure nobody waits for the same */
const PAUSE_MS = 1_000;

/** Where sessions are kept: shown in `status` */
export interface StoreState {
  kind: 'database' | 'starting' | 'memory';
  /** Why the last question had no answer */
  error?: string;
}

interface Options {
  logger: LoggerService;
  expected: boolean;
  clock: () => number;
  waitMs?: number;
}

/** The way to the database: may not be there yet, may be away, and never keeps anybody waiting for long */
export class SessionStoreAccess {
  readonly #options: Options;
  readonly #arrival: Promise<SessionStore>;
  #arrived!: (store: SessionStore) => void;
  #store?: SessionStore;
  #error?: string;
  #failedAt = 0;
  #warned = false;

  constructor(options: Options) {
    this.#options = options;
    this.#arrival = new Promise(resolve => (this.#arrived = resolve));
  }

  get attached(): SessionStore | undefined {
    return this.#store;
  }

  /** Whether there is a database, or will be */
  get expected(): boolean {
    return this.#options.expected || this.#store !== undefined;
  }

  get state(): StoreState {
    const kind = this.#store ? 'database' : this.expected ? 'starting' : 'memory';
    return this.#error === undefined ? { kind } : { kind, error: this.#error };
  }

  /** `false` for a moment after a failure */
  get worthAsking(): boolean {
    return this.#error === undefined || this.#options.clock() - this.#failedAt >= PAUSE_MS;
  }

  attach(store: SessionStore): void {
    this.#store = store;
    this.#arrived(store);
  }

  /** The database, waiting for it a while at the start; `undefined` when it does not come */
  async whenAttached(): Promise<SessionStore | undefined> {
    if (this.#store) return this.#store;
    if (this.expected) return within(this.#options.waitMs ?? WAIT_MS, this.#arrival).catch(() => undefined);
    if (!this.#warned) {
      this.#options.logger.warn(
        'sign-ins are kept in memory only, because the plugin entra-access is not installed in this backend: they end ' +
          'with the process, and other replicas do not know them',
      );
    }
    this.#warned = true;
    return undefined;
  }

  /**
   * Asks the database.
   * @throws ServiceUnavailableError when it does not answer; what it says is not passed on: it may quote a row
   */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      const answer = await within(ANSWER_MS, question());
      this.#answers();
      return answer;
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#fails(error);
      throw coded(
        'sessions_unavailable',
        new ServiceUnavailableError('sessions cannot be kept at the moment: the database does not answer; try again'),
      );
    }
  }

  #answers(): void {
    if (this.#error !== undefined) this.#options.logger.info('the database for sessions answers again');
    this.#error = undefined;
  }

  #fails(error: unknown): void {
    const reason = databaseReason(error);
    if (reason !== this.#error) {
      this.#options.logger.error(
        `the database for sessions does not answer (${reason}): nobody can sign in, known sessions go on until they expire`,
      );
    }
    this.#error = reason;
    this.#failedAt = this.#options.clock();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'principal_conflict';
}

/** The message of a database driver quotes the statement with its values: only the code is passed on */
export function databaseReason(error: unknown): string {
  return errorWord(error, 'failed');
}

/** Why an unknown session may exist all the same; `undefined` where it does not. `looked`: whether it could be looked for */
export function sessionsUnavailable({ kind, error }: StoreState, looked = true): Error | undefined {
  if (error === undefined && kind !== 'starting') return looked ? undefined : notLookedFor();
  const reason = 'the database for sessions does not answer, so unknown sessions are denied; try again';
  return coded('sessions_unavailable', new ServiceUnavailableError(reason));
}

function notLookedFor(): Error {
  const reason = 'sessions cannot be looked for at the moment, so unknown ones are denied; try again';
  return coded('sessions_unavailable', new ServiceUnavailableError(reason));
}
