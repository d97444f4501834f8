import type { LoggerService } from '@backstage/backend-plugin-api';
import type { RejectionCode } from './codes';
import { CORE_UNAVAILABLE, DecisionReader, UNKNOWN_PRINCIPAL } from './decisions';
import { ConfigurationError } from './errors';
import { handleOf, isOf, isSession } from './handles';
import { TokenBuffer } from './tokenBuffer';
import { TokenCache } from './tokenCache';
import type {
  Authentication,
  Decision,
  DirectoryInput,
  DirectoryReport,
  Explanation,
  Inspection,
  Issuer,
  KeySetReport,
  LocationRefs,
  Mistake,
  Outcome,
  PermissionInput,
  Principal,
  PrincipalHandle,
  ResourceInput,
} from './types';
import { warmUp } from './warmUp';
import { abandon, loadWasm, type WasmCore, type WasmInstance } from './wasm';

const REFUSED = 0x8000_0000;
const NO_NUMBER = 0xffff_ffff;
const UNAVAILABLE = {
  ok: false,
  code: 'core_unavailable',
  advice: 'the core is being restarted; try again in a second',
} as const;

/** What a token is offered as: an access token for this API, or an ID token at a place that asks for one */
export type Purpose = 'access' | 'sign-in';

interface Options {
  /** The section `entraAccess` as JSON text */
  configuration: string;
  /** What the operator named in `catalog.locations`: trusted to bind Entra ids */
  staticLocations?: ReadonlyArray<Required<LocationRefs>>;
  logger: Pick<LoggerService, 'error' | 'info'>;
  /** Milliseconds since the epoch; for tests */
  clock?: () => number;
  /** Whether accepted tokens are remembered; for measurements. Default: true */
  tokenCache?: boolean;
  /** For tests */
  load?: () => WasmInstance;
}

interface Alive {
  core: WasmCore;
  token: TokenBuffer;
  decisions: DecisionReader;
  permissions: Map<string, number>;
  /** Without one every token is judged anew */
  cache?: TokenCache;
}

/**
 * The core as TypeScript sees it: typed, and never dead for long.
 *
 * Should the instance trap, it is dropped at once: every question is refused (401, DENY) until a fresh instance stands, built
 * from the kept configuration, keys, policy and directory. Handles of the old instance mean nothing to the new one, which
 * is why {@link EntraCore.instance} counts.
 */
export class EntraCore {
  readonly #options: Options;
  readonly #clock: () => number;
  readonly #keys = new Map<number, string>();
  #policy?: { json: string; place: string };
  #directory?: string;
  #alive?: Alive;
  #instance = 0;
  #epoch = 0;
  #codes: ReadonlyArray<readonly [RejectionCode, string]> = [];
  #issuers: readonly Issuer[] = [];
  #restart?: NodeJS.Timeout;

  /** @throws ConfigurationError naming the first mistake */
  constructor(options: Options) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#alive = this.#build();
  }

  /** Number of the running instance; handles are valid within one */
  get instance(): number {
    return this.#instance;
  }

  /** Whether there is an instance to ask */
  get available(): boolean {
    return this.#alive !== undefined;
  }

  /** Version of keys, directory and policy */
  get epoch(): number {
    return this.#epoch;
  }

  /** The trusted issuers */
  get issuers(): readonly Issuer[] {
    return this.#issuers;
  }

  /** Number of principals held */
  get principals(): number {
    return this.#ask(({ core }) => core.principals(), 0);
  }

  /** Ids of the rules of the policy */
  get ruleIds(): string[] {
    return this.#ask(({ core }) => JSON.parse(core.rule_ids()) as string[], []);
  }

  /** Replaces the keys of an issuer; a refused document leaves the old keys in place */
  setKeys(issuer: Issuer, jwks: string): Outcome<KeySetReport, string> {
    const refused: Outcome<KeySetReport, string> = { ok: false, error: UNAVAILABLE.advice };
    const outcome = this.#ask(({ core }) => JSON.parse(core.set_keys(issuer.index, jwks)), refused);
    if (outcome.ok) {
      this.#keys.set(issuer.index, jwks);
      this.#newEpoch();
    }
    return outcome;
  }

  /**
   * Replaces the policy, given as JSON text; `place` names it in errors
   * @throws ConfigurationError naming the first mistake; the old policy stays
   */
  setPolicy(json: string, place: string): void {
    const outcome = this.#ask<Outcome<number, Mistake>>(({ core }) => JSON.parse(core.set_policy(json, place)), {
      ok: false,
      error: { path: place, message: UNAVAILABLE.advice },
    });
    if (!outcome.ok) throw new ConfigurationError(outcome.error);
    this.#policy = { json, place };
    this.#newEpoch();
  }

  /** Replaces the directory */
  setDirectory(directory: DirectoryInput): Outcome<DirectoryReport, string> {
    const json = JSON.stringify(directory);
    const refused: Outcome<DirectoryReport, string> = { ok: false, error: UNAVAILABLE.advice };
    const outcome = this.#ask(({ core }) => JSON.parse(core.set_directory(json)), refused);
    if (outcome.ok) {
      this.#directory = json;
      this.#newEpoch();
    }
    return outcome;
  }

  /** Whether an entity from there may bind an Entra id; see docs/decisions/0003-trusted-locations.md */
  trustsLocation({ location = '', origin = '' }: LocationRefs): boolean {
    return this.#ask(({ core }) => core.trusts_location(location, origin), false);
  }

  /** Judges a token and takes its caller in; the same token again is answered from memory */
  authenticate(token: string, purpose: Purpose = 'access'): Authentication {
    return (
      this.#remembered(token, purpose) ??
      this.#ask<Authentication>(alive => {
        const now = this.#now();
        const answer = alive.core.authenticate(alive.token.write(token), purpose === 'sign-in', now);
        return this.#read(alive, answer, token, purpose, now);
      }, UNAVAILABLE)
    );
  }

  /** The same with the signature checked in Node's thread pool: for many at once, where throughput counts, not latency */
  authenticateAsync(token: string, purpose: Purpose = 'access'): Promise<Authentication> {
    const kept = this.#remembered(token, purpose);
    if (kept !== undefined) return Promise.resolve(kept);
    const now = this.#now();
    return new Promise(resolve => {
      const early = this.#ask<Authentication | undefined>(alive => {
        const epoch = this.#epoch;
        // Declared before `prepare`, which may trap after it has asked for the signature: `done` is called all the same.
        let answer = NO_NUMBER;
        const finish = (fits: boolean): Authentication => {
          // A ticket means nothing to another instance.
          if (this.#alive !== alive) return UNAVAILABLE;
          return this.#ask(() => {
            if (this.#epoch === epoch) return this.#read(alive, alive.core.finish(answer, fits), token, purpose, now);
            // Prepared with keys that may be gone by now: the ticket is given back, the token judged by what holds now.
            alive.core.finish(answer, false);
            return this.authenticate(token, purpose);
          }, UNAVAILABLE);
        };
        const done = (error: unknown, fits: boolean) => resolve(finish(!error && fits === true));
        answer = alive.core.prepare(alive.token.write(token), purpose === 'sign-in', now, done);
        if (answer === NO_NUMBER) return this.authenticate(token, purpose);
        return answer < REFUSED ? undefined : this.#read(alive, answer, token, purpose, now);
      }, UNAVAILABLE);
      if (early) resolve(early);
    });
  }

  /** Judges a token and shows every check; `undefined` while the core is unavailable */
  inspect(token: string, purpose: Purpose = 'access'): Inspection | undefined {
    return this.#ask(
      ({ core, token: buffer }) => JSON.parse(core.inspect(buffer.write(token), purpose === 'sign-in', this.#now())),
      undefined,
    );
  }

  /** The record of a principal, unless it has expired or was forgotten */
  describe(principal: PrincipalHandle): Principal | undefined {
    return this.#askOf(
      principal,
      ({ core }) => JSON.parse(core.describe(principal, this.#now())) ?? undefined,
      undefined,
    );
  }

  /** Takes in the record of a principal under its entity, until `expiresAt` (seconds since the epoch) */
  admit(record: Principal, entityRef: string, expiresAt: number): PrincipalHandle | undefined {
    return this.#ask(({ core }) => {
      const outcome = JSON.parse(core.admit(JSON.stringify(record), entityRef, expiresAt, this.#now())) as Outcome<
        number,
        string
      >;
      return outcome.ok ? handleOf(this.#instance, outcome.value) : undefined;
    }, undefined);
  }

  /**
   * Forgets a signed-in principal.
   *
   * A caller by token stays until it expires or is given up as the oldest. A place that became free out of turn would be
   * given up out of turn, too, and what {@link TokenCache} remembers of it would name nobody.
   */
  release(principal: PrincipalHandle): void {
    if (isSession(principal)) this.#askOf(principal, ({ core }) => core.release(principal), undefined);
  }

  /** Decides; an unknown principal and an unavailable core are DENY */
  decide(principal: PrincipalHandle, permission: PermissionInput): Decision {
    if (this.#alive && !isOf(this.#instance, principal)) return UNKNOWN_PRINCIPAL;
    return this.#ask(alive => {
      const key = `${permission.name} ${permission.action} ${permission.resourceType}`;
      let id = alive.permissions.get(key);
      if (id === undefined) {
        id = alive.core.permission_id(JSON.stringify(permission));
        if (id === NO_NUMBER) {
          return alive.decisions.read(alive.core.decide_unnumbered(principal, JSON.stringify(permission), this.#now()));
        }
        alive.permissions.set(key, id);
      }
      return alive.decisions.read(alive.core.decide(principal, id, this.#now()));
    }, CORE_UNAVAILABLE);
  }

  /** Decides and says why; `undefined` when the principal is not known */
  explain(principal: PrincipalHandle, permission: PermissionInput, resource?: ResourceInput): Explanation | undefined {
    return this.#askOf(
      principal,
      ({ core }) => {
        const [what, where] = [JSON.stringify(permission), JSON.stringify(resource ?? null)];
        return JSON.parse(core.explain(principal, what, where, this.#now())) ?? undefined;
      },
      undefined,
    );
  }

  /** What a principal owns through, as entity refs; `undefined` when it is not known */
  owners(principal: PrincipalHandle, options?: { onlyOwning?: boolean }): string[] | undefined {
    return this.#askOf(
      principal,
      ({ core }) => JSON.parse(core.owners(principal, options?.onlyOwning ?? false, this.#now())) ?? undefined,
      undefined,
    );
  }

  /**
   * All owners that may be the principal's, also where annotations in the catalog dispute it: for denials, which must not
   * miss one; `undefined` when it is not known
   */
  possibleOwners(principal: PrincipalHandle): string[] | undefined {
    return this.#askOf(
      principal,
      ({ core }) => JSON.parse(core.possible_owners(principal, this.#now())) ?? undefined,
      undefined,
    );
  }

  /** Stops trying to restart */
  close(): void {
    clearTimeout(this.#restart);
  }

  #remembered(token: string, purpose: Purpose): Authentication | undefined {
    const cache = this.#alive?.cache;
    return cache !== undefined && purpose === 'access' ? cache.find(token, this.#clock()) : undefined;
  }

  #read(alive: Alive, answer: number, token: string, purpose: Purpose, now: number): Authentication {
    if (answer < REFUSED) {
      const accepted: Authentication = { ok: true, principal: handleOf(this.#instance, answer) };
      alive.cache?.admitted(
        token,
        accepted,
        purpose === 'access' ? alive.core.cacheable_until(answer, now) * 1000 : undefined,
      );
      return accepted;
    }
    const [code, advice] = this.#codes[answer & 0xff] ?? ['token_malformed' as const, ''];
    return { ok: false, code, advice, issuer: this.#issuers[((answer >>> 8) & 0xffff) - 1] };
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000);
  }

  #ask<T>(question: (alive: Alive) => T, refusal: T): T {
    const alive = this.#alive;
    if (!alive) return refusal;
    try {
      return question(alive);
    } catch (error) {
      // The core throws text for misuse; anything else is a trap, after which its memory can't be trusted.
      if (typeof error === 'string') throw new TypeError(error);
      this.#died(alive, error);
      return refusal;
    }
  }

  /** The same about a principal, who is nobody to any other instance than the one that gave the handle */
  #askOf<T>(principal: PrincipalHandle, question: (alive: Alive) => T, refusal: T): T {
    return isOf(this.#instance, principal) ? this.#ask(question, refusal) : refusal;
  }

  #died({ core }: Alive, error: unknown): void {
    this.#alive = undefined;
    abandon(core);
    const name = error instanceof Error ? error.name : typeof error;
    this.#options.logger.error(`entra-access: the core trapped (${name}); everything is refused until it is restarted`);
    this.#scheduleRestart(0);
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
    for (const [issuer, jwks] of this.#keys) core.set_keys(issuer, jwks);
    if (this.#policy) core.set_policy(this.#policy.json, this.#policy.place);
    if (this.#directory) core.set_directory(this.#directory);
    this.#instance += 1;
    this.#epoch = core.epoch();
    const token = new TokenBuffer(memory, core);
    warmUp(core, token, this.#issuers[0]?.issuer ?? '');
    return {
      core,
      token,
      decisions: new DecisionReader(JSON.parse(core.rule_ids())),
      permissions: new Map(),
      cache: this.#options.tokenCache === false ? undefined : new TokenCache(Core.token_principals()),
    };
  }

  #newEpoch(): void {
    this.#ask(alive => {
      this.#epoch = alive.core.epoch();
      alive.decisions = new DecisionReader(JSON.parse(alive.core.rule_ids()));
      alive.cache?.clear();
    }, undefined);
  }
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
