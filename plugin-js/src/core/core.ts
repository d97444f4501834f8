import { Accounts } from './accounts';
import { AuditChain } from './auditChain';
import { CoreClock } from './coreClock';
import { CORE_UNAVAILABLE, UNKNOWN_PRINCIPAL, withCriteria } from './decisions';
import { ConfigurationError } from './errors';
import { Freshness } from './freshness';
import { revokedStudy, standingOf } from './standing';
import { handleOf, isOf, isSession } from './handles';
import { Members } from './members';
import { CoreLife, UNAVAILABLE, type Alive, type CoreOptions } from './life';
import { UNNUMBERED } from './permissionNumbers';
import { ThreadedTokens } from './threadedTokens';
import { readStudy } from './studies';
import { Tokens } from './tokens';
import { turnClock } from './turnClock';
import type {
  Answered,
  Audience,
  Authentication,
  Decision,
  DirectoryInput,
  DirectoryReport,
  Explanation,
  IdentitySettings,
  Inspection,
  Issuer,
  KeySetReport,
  LocationRefs,
  Mistake,
  Outcome,
  PermissionInput,
  Principal,
  PrincipalHandle,
  Purpose,
  ResourceInput,
  Standing,
  Study,
} from './types';

const NO_NUMBER = 0xffff_ffff;
/** A bit of whoever reads: does not want to know what it would take, which costs some milliseconds */
const BRIEF = 8;
/** Whoever asks the core itself */
const EVERYTHING: Audience = { policy: true, groups: true, own: false, known: [] };

/**
 * The core as TypeScript sees it: typed, and never dead for long.
 *
 * While an instance that trapped is replaced ({@link CoreLife}), every question is refused (401, DENY). Handles of the old
 * instance mean nothing to the new one, which is why {@link EntraCore.instance} counts.
 */
export class EntraCore {
  readonly #life: CoreLife;
  readonly #clock: CoreClock;
  readonly #tokens: Tokens;
  readonly #threaded: ThreadedTokens;
  /** Who is in which Entra group, where that was loaded from Microsoft Graph */
  readonly members: Members;
  /** Whose account is in force, where that was loaded from Microsoft Graph */
  readonly accounts: Accounts;
  /** How far each tenant is known, and until when that counts */
  readonly freshness: Freshness;
  /** The hash chains of the audit trail, and what is to be recorded */
  readonly audit: AuditChain;

  /** @throws ConfigurationError naming the first mistake */
  constructor(options: CoreOptions) {
    this.#life = new CoreLife(options);
    const wall = options.clock ?? turnClock;
    this.freshness = new Freshness(this.#life, { ...options, wall });
    this.#clock = new CoreClock(this.freshness, wall);
    this.#tokens = new Tokens(this.#life, this.#clock);
    this.#threaded = new ThreadedTokens(this.#life, this.#tokens, this.#clock);
    this.members = new Members(this.#life);
    this.accounts = new Accounts(this.#life);
    this.audit = new AuditChain(this.#life);
  }

  /** Number of the running instance; handles are valid within one */
  get instance(): number {
    return this.#life.instance;
  }

  /** Whether there is an instance to ask; one that dies of the mere passing of time has died by then */
  get available(): boolean {
    this.#clock.look();
    return this.#life.alive !== undefined;
  }

  /** Version of keys, directory and policy; one that begins by the mere passing of time has begun by then */
  get epoch(): number {
    this.#clock.look();
    return this.#life.epoch;
  }

  /** The trusted issuers */
  get issuers(): readonly Issuer[] {
    return this.#life.issuers;
  }

  /** Whether the API of every plugin takes an access token as it is: `entraAccess.directCalls` */
  get directCalls(): boolean {
    return this.#life.directCalls;
  }

  /** Which entity stands for a principal, as configured */
  get identity(): IdentitySettings {
    return this.#life.identity;
  }

  /** Number of principals held */
  get principals(): number {
    return this.#life.ask(({ core }) => core.principals(), 0);
  }

  /** Ids of the rules of the policy */
  get ruleIds(): string[] {
    return this.#life.ask(({ core }) => JSON.parse(core.rule_ids()) as string[], []);
  }

  /**
   * Replaces the keys of an issuer; a refused document leaves the old keys in place.
   *
   * They count for a day. `fetchedAt` is in milliseconds since the epoch; an instance that is told again keeps their age.
   */
  setKeys(issuer: Issuer, jwks: string, fetchedAt?: number): Outcome<KeySetReport, string> {
    const fetched = fetchedAt === undefined ? this.#clock.seconds : (fetchedAt / 1000) >>> 0;
    return this.#life.tell<KeySetReport, string>(
      `keys of ${issuer.index}`,
      core => JSON.parse(core.set_keys(issuer.index, jwks, fetched)),
      UNAVAILABLE.advice,
    );
  }

  /**
   * Replaces the policy, given as JSON text; `place` names it in errors. With `anyPipeline` it may select jobs of pipelines
   * that are not configured: for looking at a policy without its configuration
   * @throws ConfigurationError naming the first mistake; the old policy stays
   */
  setPolicy(json: string, place: string, { anyPipeline = false } = {}): void {
    const outcome = this.#life.tell<number, Mistake>(
      'policy',
      core => JSON.parse(core.set_policy(json, place, anyPipeline)),
      { path: place, message: UNAVAILABLE.advice },
    );
    if (!outcome.ok) throw new ConfigurationError(outcome.error);
  }

  /** Replaces what the catalog says of groups and owners */
  setDirectory(directory: DirectoryInput): Outcome<DirectoryReport, string> {
    const json = JSON.stringify(directory);
    return this.#life.tell<DirectoryReport, string>(
      'directory',
      core => JSON.parse(core.set_directory(json)),
      UNAVAILABLE.advice,
    );
  }

  /**
   * Replaces the ids that are directory roles and no groups.
   * @returns the ids of allow rules that name one as a group
   */
  setDirectoryRoles(ids: readonly string[]): Outcome<string[], string> {
    const json = JSON.stringify(ids);
    return this.#life.tell<string[], string>(
      'directory roles',
      core => JSON.parse(core.set_directory_roles(json)),
      UNAVAILABLE.advice,
    );
  }

  /** Whether an entity from there may bind an Entra id; see docs/decisions/0003-trusted-locations.md */
  trustsLocation({ location = '', origin = '' }: LocationRefs): boolean {
    return this.#life.ask(({ core }) => core.trusts_location(location, origin), false);
  }

  /** Judges a token and takes its caller in; the same token again is answered from memory */
  authenticate(token: string, purpose: Purpose = 'access'): Authentication {
    return this.#tokens.judge(token, purpose);
  }

  /** The same for many at once, where throughput counts, not latency: signatures are checked in other threads, which the first one starts */
  authenticateAsync(token: string, purpose: Purpose = 'access'): Promise<Authentication> {
    return this.#threaded.judge(token, purpose);
  }

  /** Whether the threads of {@link EntraCore.authenticateAsync} run; until then, and without them, Node's thread pool checks signatures */
  get threaded(): boolean {
    return this.#threaded.threaded;
  }

  /** Judges a token and shows every check; `undefined` while the core is unavailable */
  inspect(token: string, purpose: Purpose = 'access'): Inspection | undefined {
    return this.#life.ask(
      ({ core, token: buffer }) =>
        JSON.parse(core.inspect(buffer.write(token), purpose === 'sign-in', this.#clock.seconds)),
      undefined,
    );
  }

  /** The record of a principal, unless it has expired or was forgotten */
  describe(principal: PrincipalHandle): Principal | undefined {
    return this.#life.askOf(
      principal,
      ({ core }) => JSON.parse(core.describe(principal, this.#clock.seconds)) ?? undefined,
      undefined,
    );
  }

  /** Takes in the record of a principal under its entity, until `expiresAt` (seconds since the epoch) */
  admit(record: Principal, entityRef: string, expiresAt: number): PrincipalHandle | undefined {
    const outcome = this.takeIn(record, entityRef, expiresAt);
    return outcome.ok ? outcome.value : undefined;
  }

  /** The same with what is wrong with a record; its path begins with `record`, or is `entity` */
  takeIn(record: unknown, entityRef: string, expiresAt: number): Outcome<PrincipalHandle, Mistake> {
    const unavailable: Outcome<number, Mistake> = { ok: false, error: { path: 'record', message: UNAVAILABLE.advice } };
    const outcome = this.#life.ask<Outcome<number, Mistake>>(
      ({ core }) => JSON.parse(core.admit(JSON.stringify(record), entityRef, expiresAt, this.#clock.seconds)),
      unavailable,
    );
    this.#life.alive?.answers.admitted();
    return outcome.ok ? { ok: true, value: handleOf(this.#life.instance, outcome.value) } : outcome;
  }

  /**
   * Lets a job count whose token counts once ({@link PipelineJob.singleUse}), after the token was claimed for all replicas.
   * Until then it is nobody to every question but {@link EntraCore.describe}.
   * @returns whether there is such a job
   */
  claimed(principal: PrincipalHandle): boolean {
    this.#life.alive?.answers.drop(principal);
    return this.#life.askOf(principal, ({ core }) => core.claimed(principal, this.#clock.seconds), false);
  }

  /**
   * What the directory says of a principal; `undefined` for nobody. `tokenIssued` (seconds since the epoch): when a Backstage token
   * of theirs was issued, if that is what they come with
   */
  standing(principal: PrincipalHandle, tokenIssued = NO_NUMBER): Standing | undefined {
    const number = this.#life.askOf(
      principal,
      ({ core }) => core.standing(principal, tokenIssued, this.#clock.seconds),
      NO_NUMBER,
    );
    return number === NO_NUMBER ? undefined : standingOf(number);
  }

  /** Whether a principal's groups are not known; not so for nobody */
  groupsUnknown(principal: PrincipalHandle): boolean {
    return this.#life.askOf(principal, ({ core }) => core.groups_unknown(principal, this.#clock.seconds), false);
  }

  /**
   * Hands over the complete list of groups of a principal whose groups are not known; a known list is never replaced.
   * @returns whether it was taken
   */
  completeGroups(principal: PrincipalHandle, ids: readonly string[]): boolean {
    this.#life.alive?.answers.drop(principal);
    const refused = { ok: false };
    const complete = ({ core }: Alive) =>
      JSON.parse(core.complete_groups(principal, JSON.stringify(ids), this.#clock.seconds));
    return this.#life.askOf<{ ok: boolean }>(principal, complete, refused).ok;
  }

  /**
   * Forgets a signed-in principal.
   *
   * A caller by token stays until it expires or is given up as the oldest. A place that became free out of turn would be
   * given up out of turn, too, and what the token cache remembers of it would name nobody.
   */
  release(principal: PrincipalHandle): void {
    if (!isSession(principal)) return;
    this.#life.alive?.answers.drop(principal);
    this.#life.askOf(principal, ({ core }) => core.release(principal), undefined);
  }

  /** Decides; an unknown principal and an unavailable core are DENY. The way of every request: no closure, no text is made */
  decide(principal: PrincipalHandle, permission: PermissionInput): Decision {
    // First of all: an epoch may begin with it, and with the epoch other answers; it may even be the end of the instance.
    const { now } = this.#clock;
    const { alive } = this.#life;
    if (alive === undefined) return CORE_UNAVAILABLE;
    const known = alive.permissions.find(permission);
    // A handle of another instance is in no row.
    const answer = known === UNNUMBERED ? undefined : alive.answers.find(principal, known, now);
    return answer === undefined ? this.#decideAnew(alive, principal, permission, known) : answer;
  }

  #decideAnew(alive: Alive, principal: PrincipalHandle, permission: PermissionInput, known: number): Decision {
    if (!isOf(this.#life.instance, principal)) return UNKNOWN_PRINCIPAL;
    try {
      const id = known === UNNUMBERED ? this.#number(alive, permission) : known;
      return id === NO_NUMBER
        ? this.#decideUnnumbered(alive, principal, permission)
        : this.#ask(alive, principal, id, permission);
    } catch (error) {
      this.#life.trapped(alive, error);
      return CORE_UNAVAILABLE;
    }
  }

  #ask(alive: Alive, principal: PrincipalHandle, id: number, permission: PermissionInput): Decision {
    const now = this.#clock.seconds;
    const { answers, core, decisions } = alive;
    const decision = decisions.read(core.decide(principal, id, now));
    if (decision.dependence === 'criteria' && decision.criteria === undefined) {
      return this.#decideUnnumbered(alive, principal, permission);
    }
    // Callers by token come and go; whoever asks for permissions is signed in.
    if (isSession(principal)) {
      answers.keep(principal, id, decision, now * 1000, () => core.steady_until(principal, now) * 1000);
    }
    return decision;
  }

  /** Asks the core for the number of a permission, which it gives out once */
  #number({ core, permissions }: Alive, permission: PermissionInput): number {
    const id = core.permission_id(JSON.stringify(permission));
    if (id !== NO_NUMBER) permissions.add(permission, id);
    return id;
  }

  /** The same where the permission or the condition has no number: slower, and nothing is remembered */
  #decideUnnumbered(alive: Alive, principal: PrincipalHandle, permission: PermissionInput): Decision {
    const [json, now] = [JSON.stringify(permission), this.#clock.seconds];
    const { core, decisions } = alive;
    const decision = decisions.read(core.decide_unnumbered(principal, json, now));
    return decision.dependence === 'criteria'
      ? withCriteria(decision, core.criteria_unnumbered(principal, json, now))
      : decision;
  }

  /** Decides and says why; `undefined` when the principal is not known */
  explain(principal: PrincipalHandle, permission: PermissionInput, resource?: ResourceInput): Explanation | undefined {
    return this.#study(principal, permission, resource, {}, BRIEF)?.explanation;
  }

  /**
   * The same with every rule that was considered, as far as `audience` may know, which is everything unless it is said; `answered`
   * tells what rules of other plugins say of the resource
   */
  study(
    principal: PrincipalHandle,
    permission: PermissionInput,
    resource?: ResourceInput,
    options: { answered?: Answered; audience?: Audience } = {},
  ): Study | undefined {
    return this.#study(principal, permission, resource, options, 0);
  }

  #study(
    principal: PrincipalHandle,
    permission: PermissionInput,
    resource: ResourceInput | undefined,
    { answered = { holds: [], fails: [] }, audience = EVERYTHING }: { answered?: Answered; audience?: Audience },
    brief: number,
  ): Study | undefined {
    const revoked = this.standing(principal)?.revoked;
    if (revoked) return revokedStudy(revoked);
    const { policy, groups, own, known } = audience;
    const reader = (policy ? 1 : 0) | (groups ? 2 : 0) | (own ? 4 : 0) | brief;
    const texts = [permission, resource ?? null, answered].map(value => JSON.stringify(value)) as [
      string,
      string,
      string,
    ];
    const ids = JSON.stringify(known);
    const ask = ({ core }: Alive) => core.study(principal, ...texts, reader, ids, this.#clock.seconds);
    return readStudy(this.#life.askOf(principal, ask, 'null'), { resource, permission, brief: brief > 0 });
  }

  /** What a principal owns through, as entity refs; `undefined` when it is not known */
  owners(principal: PrincipalHandle, options?: { onlyOwning?: boolean }): string[] | undefined {
    return this.#life.askOf(
      principal,
      ({ core }) => JSON.parse(core.owners(principal, options?.onlyOwning ?? false, this.#clock.seconds)) ?? undefined,
      undefined,
    );
  }

  /**
   * All owners that may be the principal's, also where annotations in the catalog dispute it: for denials, which must not
   * miss one; `undefined` when that or the principal is not known
   */
  possibleOwners(principal: PrincipalHandle): string[] | undefined {
    return this.#life.askOf(
      principal,
      ({ core }) => JSON.parse(core.possible_owners(principal, this.#clock.seconds)) ?? undefined,
      undefined,
    );
  }

  /** Ends what goes on by itself: the threads, and trying to restart */
  close(): void {
    this.#threaded.close();
    this.#life.close();
  }
}
