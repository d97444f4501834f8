import type { LoggerService } from '@backstage/backend-plugin-api';
import type { RejectionCode } from './codes';
import { Answers } from './answers';
import { DecisionReader } from './decisions';
import { ConfigurationError } from './errors';
import { isOf } from './handles';
import { PermissionNumbers } from './permissionNumbers';
import { TokenBuffer } from './tokenBuffer';
import { TokenCache } from './tokenCache';
import type { IdentitySettings, Issuer, LocationRefs, Mistake, Outcome, PrincipalHandle } from './types';
import { warmUp } from './warmUp';
import { abandon, loadWasm, type WasmCore, type WasmInstance, type WasmMemory } from './wasm';

/** What every question is refused with while there is no instance to ask */
export const UNAVAILABLE = {
  ok: false,
  code: 'core_unavailable',
  advice: 'the core is being restarted; try again in a second',
} as const;

export interface CoreOptions {
  /** The section `entraAccess` as JSON text */
  configuration: string;
  /** What the operator named in `catalog.locations`: trusted to bind Entra ids */
  staticLocations?: ReadonlyArray<Required<LocationRefs>>;
  logger: Pick<LoggerService, 'error' | 'info'>;
  /** Milliseconds since the epoch; for tests */
  clock?: () => number;
  /** Milliseconds since whenever, by a clock that is never set; for tests */
  monotonic?: () => number;
  /** For how many seconds what is known of a tenant counts: `entraAccess.groups.graph.staleAfter`. Absent: groups come with the tokens */
  staleAfter?: number;
  /** Whether accepted tokens are remembered; for measurements. Default: true */
  tokenCache?: boolean;
  /** For tests */
  load?: () => WasmInstance;
}

/** An instance that may be asked, and what is derived from it alone */
export interface Alive {
  core: WasmCore;
  memory: WasmMemory;
  token: TokenBuffer;
  decisions: DecisionReader;
  answers: Answers;
  permissions: PermissionNumbers;
  /** Without one every token is judged anew */
  cache?: TokenCache;
}

/**
 * Keeps an instance of the core alive.
 *
 * Should it trap, it is dropped at once: every question is refused until a fresh instance stands, built from the
 * configuration and told again whatever the last one had accepted.
 */
export class CoreLife {
  readonly #options: CoreOptions;
  /** In the order in which it was first told */
  readonly #told = new Map<string, (core: WasmCore) => unknown>();
  #alive?: Alive;
  #instance = 0;
  #epoch = 0;
  #codes: ReadonlyArray<readonly [RejectionCode, string]> = [];
  #issuers: readonly Issuer[] = [];
  readonly #directCalls: boolean;
  readonly #identity: IdentitySettings;
  #restart?: NodeJS.Timeout;

  /** @throws ConfigurationError naming the first mistake */
  constructor(options: CoreOptions) {
    this.#options = options;
    this.#alive = this.#build();
    this.#directCalls = this.#alive.core.direct_calls();
    this.#identity = JSON.parse(this.#alive.core.identity());
  }

  /** The instance to ask, if there is one */
  get alive(): Alive | undefined {
    return this.#alive;
  }

  /** Number of the running instance; handles are valid within one */
  get instance(): number {
    return this.#instance;
  }

  /** Version of keys, directory and policy */
  get epoch(): number {
    return this.#epoch;
  }

  /** The rejection codes with their advice, by their numbers */
  get codes(): ReadonlyArray<readonly [RejectionCode, string]> {
    return this.#codes;
  }

  /** The trusted issuers, by their numbers */
  get issuers(): readonly Issuer[] {
    return this.#issuers;
  }

  /** Whether direct calls are on */
  get directCalls(): boolean {
    return this.#directCalls;
  }

  /** Which entity stands for a principal */
  get identity(): IdentitySettings {
    return this.#identity;
  }

  /** Number of an issuer of a tenant, which stands for the tenant; `undefined` for one that is not configured */
  tenant(tenantId: string): number | undefined {
    return this.#issuers.find(issuer => issuer.tenantId === tenantId)?.index;
  }

  /** Asks the running instance; a trap ends it */
  ask<T>(question: (alive: Alive) => T, refusal: T): T {
    const alive = this.#alive;
    if (!alive) return refusal;
    try {
      return question(alive);
    } catch (error) {
      this.trapped(alive, error);
      return refusal;
    }
  }

  /** The same about a principal, who is nobody to any other instance than the one that gave the handle */
  askOf<T>(principal: PrincipalHandle, question: (alive: Alive) => T, refusal: T): T {
    return isOf(this.#instance, principal) ? this.ask(question, refusal) : refusal;
  }

  /**
   * Tells the core something that begins a new epoch and that a fresh instance has to be told again.
   *
   * `what` names it: told anew it takes the place of what was told before; refused it changes nothing.
   */
  tell<T, E>(what: string, telling: (core: WasmCore) => Outcome<T, E>, unavailable: E): Outcome<T, E> {
    const outcome = this.ask<Outcome<T, E>>(({ core }) => telling(core), { ok: false, error: unavailable });
    if (outcome.ok) {
      this.#told.set(what, telling);
      this.#newEpoch();
    }
    return outcome;
  }

  /** The same where `telling` says itself whether an epoch begins with it, which most often none does */
  remind(what: string, telling: (core: WasmCore) => boolean): void {
    this.#told.set(what, telling);
    if (this.ask(({ core }) => telling(core), false)) this.#newEpoch();
  }

  /** Ends an instance that threw what it never throws; what is thrown for misuse is passed on */
  trapped(alive: Alive, error: unknown): void {
    // The core throws text for misuse; anything else is a trap, after which its memory can't be trusted.
    if (typeof error === 'string') throw new TypeError(error);
    this.#alive = undefined;
    abandon(alive.core);
    const name = error instanceof Error ? error.name : typeof error;
    this.#options.logger.error(`entra-access: the core trapped (${name}); everything is refused until it is restarted`);
    this.#scheduleRestart(0);
  }

  /** Says that something goes on in a lesser way */
  degraded(what: string): void {
    this.#options.logger.error(`entra-access: ${what}`);
  }

  /** Stops trying to restart */
  close(): void {
    clearTimeout(this.#restart);
  }

  #scheduleRestart(delayMs: number): void {
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => {
      try {
        this.#alive = this.#build();
        this.#options.logger.info('entra-access: the core is restarted');
      } catch {
        this.#options.logger.error('entra-access: the core could not be restarted; trying again');
        this.#scheduleRestart(Math.min(1000, delayMs * 2 + 50));
      }
    }, delayMs);
    this.#restart.unref();
  }

  /** A fresh instance with everything that the last one had been told */
  #build(): Alive {
    const { Core, memory } = (this.#options.load ?? loadWasm)();
    const core = open(() => new Core(this.#options.configuration, this.#epoch));
    this.#codes = JSON.parse(Core.codes());
    this.#issuers = (JSON.parse(core.issuers()) as Issuer[]).map((issuer, index) =>
      Object.freeze({ ...issuer, index }),
    );
    for (const { location, origin } of this.#options.staticLocations ?? []) core.trust_location(location, origin);
    for (const telling of this.#told.values()) telling(core);
    this.#instance += 1;
    this.#epoch = core.epoch();
    const token = new TokenBuffer(memory, core);
    this.#later(core, warmUp(core, token, this.#issuers[0]?.issuer ?? ''));
    return {
      core,
      memory,
      token,
      decisions: decisionReader(core),
      answers: new Answers(),
      permissions: new PermissionNumbers(),
      cache: this.#options.tokenCache === false ? undefined : new TokenCache(Core.token_principals()),
    };
  }

  /** What can wait, between whatever else comes in; no process lives on for it */
  #later(core: WasmCore, goOn: () => boolean): void {
    setImmediate(() => {
      if (this.#alive?.core === core && this.ask(goOn, false)) this.#later(core, goOn);
    }).unref();
  }

  #newEpoch(): void {
    this.ask(alive => {
      this.#epoch = alive.core.epoch();
      alive.decisions = decisionReader(alive.core);
      alive.answers = new Answers();
      alive.cache?.clear();
    }, undefined);
  }
}

function decisionReader(core: WasmCore): DecisionReader {
  return new DecisionReader(JSON.parse(core.rule_ids()), number => core.criteria(number));
}

/** The constructor throws its mistake as JSON text */
function open<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (typeof error !== 'string') throw error;
    throw new ConfigurationError(JSON.parse(error) as Mistake);
  }
}
