import type { LoggerService } from '@backstage/backend-plugin-api';
import { ServiceUnavailableError } from '@backstage/errors';
import { refusedToken, signedIn } from '../audit/callers';
import { AuditTrail } from '../audit/trail';
import {
  EntraCore,
  revokedReason,
  TokenRejectedError,
  UNKNOWN_PRINCIPAL,
  type Authentication,
  type Decision,
  type Inspection,
  type PermissionInput,
  type PrincipalHandle,
  type Purpose,
  type ResourceInput,
  type StepUp,
} from '../core';
import { DirectoryRoles, GroupCompletion, GroupResolver, type GraphState, type RolesState } from '../graph';
import type { FollowSettings } from '../follow/settings';
import type { FollowState } from '../follow/following';
import { KeySource } from '../keys/keySource';
import { explainRunning, type ExplainedDecision, type ExplainOptions } from '../explain/explained';
import { BreakGlassUse } from './breakGlassUse';
import { coded } from './coded';
import type { Configuration } from './configuration';
import { Telemetry } from '../telemetry/telemetry';
import { DirectoryEpoch } from './directoryEpoch';
import { USUAL_LIMITS, type Limits } from './limits';
import { PolicyFile, setPolicy, type PolicyState } from './policyFile';
import type { PolicyText } from './policyText';
import { Refusals, type RefusalRecord } from './refusal';
import { SharedSessions, type Wanted } from './sharedSessions';
import type { Claimed } from './unverified';

/** What the ownership of a principal hangs on, as numbers that mean the same in every process (docs/decisions/0005) */
export interface OwnershipVersion {
  /** Of the directory */
  epoch: number;
  /** Of the sign-in since which the principal and its groups are as they are; 0 where sign-ins are kept in memory only */
  session: number;
}

/** Another process that has the sessions and the directory, where this one has neither */
export interface Elsewhere {
  /** Has what is needed about somebody at hand; never fails */
  ensure(entityRef: string, wanted?: Wanted): Promise<void>;
  /** Whether somebody is signed in there, as far as this process knows */
  knows(entityRef: string): boolean;
}

/** What the features of this package share in one process: the core with its keys and sessions */
export class EntraAccess {
  readonly core: EntraCore;
  readonly keys: KeySource;
  readonly sessions: SharedSessions;
  readonly directory = new DirectoryEpoch();
  readonly telemetry = new Telemetry();
  readonly audit: AuditTrail;
  /** Who is let in by name while the directory has no word */
  readonly breakGlass: BreakGlassUse;
  /** How much one caller may ask of the plugin's routes */
  readonly limits: Limits;
  /** Who has sessions and directory, where this process has neither; the catalog module finds it out */
  elsewhere?: Elsewhere;
  /** The file of the policy, unless its rules stand in app-config.yaml */
  readonly policyFile?: PolicyFile;
  /** What in the policy does not fit the installed plugins; the permission module finds it */
  policyWarnings: readonly string[] = [];
  /** Whether another policy is asked about what no rule speaks about; the permission module says so */
  asksFallback = false;
  readonly #startedAt = Date.now();
  readonly #firstPolicy: PolicyText;
  /** Client ids whose app-only tokens are judged by the external token handler, where it is installed */
  readonly externalClients = new Set<string>();
  /** How Microsoft Graph is followed, where it is the source of groups */
  readonly follow?: FollowSettings;
  /** How following it goes; the plugin, which has the database, says so */
  following?: () => FollowState[];
  readonly #groups: GroupCompletion;
  readonly #resolver?: GroupResolver;
  readonly #roles: DirectoryRoles;
  readonly #refusals: Refusals;

  /** @throws ConfigurationError naming the first mistake */
  constructor(
    configuration: Configuration,
    logger: LoggerService,
    options?: { storeExpected?: boolean; auditExpected?: boolean },
  ) {
    const { json, policy, staticLocations } = configuration;
    this.core = new EntraCore({ configuration: json, staticLocations, staleAfter: configuration.staleAfter, logger });
    setPolicy(this.core, policy);
    this.#firstPolicy = policy;
    if (policy.source) this.policyFile = new PolicyFile({ ...policy.source, core: this.core, logger });
    const span = this.telemetry.span.bind(this.telemetry);
    this.keys = new KeySource({ core: this.core, logger, span });
    this.sessions = new SharedSessions({ core: this.core, logger, ...options });
    this.audit = new AuditTrail({ core: this.core, logger, span, expected: options?.auditExpected ?? false });
    this.breakGlass = new BreakGlassUse(configuration.breakGlass ?? [], logger);
    this.#refusals = new Refusals(this.audit, logger);
    const { graph, follow, limits = USUAL_LIMITS } = configuration;
    this.limits = limits;
    this.follow = follow;
    if (follow) this.directory.followMembers();
    if (graph) this.#resolver = new GroupResolver({ issuers: this.core.issuers, settings: graph, logger });
    // Where the directory is the source, nobody is asked for the groups of one principal.
    this.#groups = new GroupCompletion(this.core, this.sessions, follow ? undefined : this.#resolver);
    this.#roles = new DirectoryRoles(this.graphClients, this.core, logger);
  }

  /** See {@link Refusals.refuse} */
  refuse(error: Error & { code?: string }, record: RefusalRecord): Promise<Error> {
    return this.#refusals.refuse(error, record);
  }

  /** Fetches keys in the background and follows the policy file; v1.0 keys follow when the first v1.0 token is seen */
  start(): void {
    for (const issuer of this.core.issuers) {
      if (issuer.pipeline || issuer.id.startsWith('entra-v2:')) void this.keys.load(issuer);
    }
    this.#roles.start();
    this.policyFile?.start();
  }

  /** The policy in force */
  get policy(): PolicyText {
    return this.policyFile?.policy ?? this.#firstPolicy;
  }

  /** Where the policy in force comes from, and why a newer one is not in force */
  get policyState(): PolicyState {
    return this.policyFile?.state ?? { loadedAt: this.#startedAt };
  }

  /** Ends timers */
  close(): void {
    this.policyFile?.close();
    this.keys.close();
    this.#roles.close();
    this.sessions.close();
    this.core.close();
  }

  /**
   * Verifies a token, fetching the issuer's keys first where they are missing, and asks Graph for groups that it leaves out.
   * @throws TokenRejectedError with the stable code
   */
  async authenticate(token: string, purpose?: Purpose): Promise<PrincipalHandle> {
    const principal = await this.verify(token, purpose);
    await this.#groups.caller(principal);
    return principal;
  }

  /**
   * The same for whoever only has to know who it is, not in which groups.
   * @throws TokenRejectedError with the stable code
   */
  async verify(token: string, purpose?: Purpose): Promise<PrincipalHandle> {
    let answer = this.core.authenticate(token, purpose);
    if (await this.#fetchedKeysFor(answer)) answer = this.core.authenticate(token, purpose);
    this.telemetry.validations.add(answer.ok ? 'accepted' : answer.code);
    if (!answer.ok) {
      // All that the token says is proved by then, and who it is matters.
      const revoked = answer.code === 'principal_revoked' ? this.core.inspect(token, purpose)?.principal : undefined;
      throw await this.refuse(new TokenRejectedError(answer), refusedToken(answer, revoked));
    }
    return answer.principal;
  }

  /**
   * Claims the one use of a single-use token, whose caller is nobody before; everybody else passes. So does a caller whom the core
   * has given up: there is nothing to claim by, and nobody to describe either.
   * @throws TokenRejectedError `token_replayed`, or ServiceUnavailableError while the database is away
   */
  async claimUse(principal: PrincipalHandle): Promise<void> {
    const record = this.core.describe(principal);
    const use = record?.pipeline?.singleUse;
    if (!use) return;
    const first = await this.sessions.useOnce(use).catch(async (error: Error & { code?: string }) => {
      throw await this.refuse(error, signedIn(record, undefined, error.code ?? 'sign_in_incomplete'));
    });
    if (!first) {
      this.telemetry.validations.add(REPLAYED.code);
      throw await this.refuse(new TokenRejectedError(REPLAYED), refusedToken(REPLAYED, record));
    }
    // Otherwise it stays nobody, and whoever goes on is told so.
    this.core.claimed(principal);
  }

  /** Who asks Microsoft Graph, for each tenant; empty where nobody is asked */
  get graphClients(): GroupResolver['clients'] {
    return this.#resolver?.clients ?? [];
  }

  /**
   * Refuses a Backstage token of somebody whose account is out of force, or that was issued before all sign-ins were ended.
   *
   * It says when it was issued by this backend's clock, and its sign-in by Entra's. The newest one is judged by the sign-in; one that
   * ends before that was got earlier, so that its own time counts, too. One that is not `proved` may be made up: nobody learns from it
   * whose account is in force, or who is known here, and nothing is written down.
   * @throws TokenRejectedError `principal_revoked`, or ServiceUnavailableError while it cannot be told
   */
  async refuseRevoked(
    entityRef: string,
    { issued, expires }: Pick<Claimed, 'issued' | 'expires'>,
    proved: () => Promise<boolean>,
  ): Promise<void> {
    const { core, sessions } = this;
    const follows = core.freshness.staleAfter > 0;
    // Whose it is may not have been looked up: then it may be one that has to be refused.
    const unknown = follows && !sessions.current(entityRef) ? await sessions.whyUnknown(entityRef) : undefined;
    if (unknown && (await proved())) throw unknown;
    const session = sessions.current(entityRef);
    if (!session) return;
    const isNewest = expires !== undefined && expires >= session.expiresAt;
    const ask = (principal: PrincipalHandle) => core.standing(principal, isNewest ? undefined : (issued ?? 0));
    const revoked = core.available ? this.about(entityRef, ask) : undefined;
    // Afterwards: it may die of the question, and no answer is not a good one.
    if (!core.available) {
      if (!follows || !(await proved())) return;
      throw coded(
        'core_unavailable',
        new ServiceUnavailableError('the core is being restarted; try again in a second'),
      );
    }
    if (!revoked?.revoked || !(await proved())) return;
    const advice = revokedReason(revoked.revoked).replace(/^principal_revoked: /, '');
    const refusal = { ok: false, code: 'principal_revoked', advice } as const;
    const record = { ...refusedToken(refusal, sessions.record(entityRef)), principal: entityRef };
    throw await this.refuse(new TokenRejectedError(refusal), record);
  }

  /** How asking Microsoft Graph goes, for each tenant; empty where nobody is asked */
  get graph(): Array<GraphState & { directoryRoles: RolesState }> {
    const states = this.#resolver?.states ?? [];
    return states.map(state => ({ ...state, directoryRoles: this.#roles.state(state.tenant) }));
  }

  /**
   * Finds the sign-in under a ref, where another process may know it, and its groups, if they were not to be had so far.
   * @returns what to wait for before asking about them; `undefined` when there is nothing to wait for
   */
  completed(entityRef: string): Promise<void> | undefined {
    if (this.sessions.find(entityRef) !== undefined) return this.#groups.session(entityRef);
    return this.sessions.ensure(entityRef).then(() => this.#groups.session(entityRef));
  }

  /** Has what is needed about somebody at hand before a request goes on; never fails: whoever is unknown then is nobody */
  ensure(entityRef: string, wanted?: Wanted): Promise<unknown> {
    return (this.elsewhere ?? this.sessions).ensure(entityRef, wanted);
  }

  /** Whether somebody is signed in under a ref, as far as this process knows */
  knows(entityRef: string): boolean {
    return this.elsewhere ? this.elsewhere.knows(entityRef) : this.sessions.find(entityRef) !== undefined;
  }

  /** What a decision about somebody hangs on that is made now */
  versionOf(entityRef: string): OwnershipVersion {
    return { epoch: this.directory.current, session: this.sessions.current(entityRef)?.since ?? 0 };
  }

  /** Gets what another process has that is newer; never fails: this one may still be behind afterwards */
  async catchUp(entityRef: string, { epoch, session }: OwnershipVersion): Promise<void> {
    await Promise.all([this.directory.reach(epoch), this.sessions.ensure(entityRef, { session })]);
  }

  /** Why somebody's groups are not known; `undefined` when they are */
  whyUnknown(principal: PrincipalHandle): string | undefined {
    const standing = this.core.standing(principal);
    if (standing?.gap) return `groups_unknown: ${GAPS[standing.gap]}; unknown is never taken for membership`;
    if (standing?.live) return undefined;
    const record = this.core.describe(principal);
    return record?.groups.state === 'unknown' ? this.#groups.reason(record) : undefined;
  }

  /** Judges a token and shows every check, fetching keys as {@link authenticate} does; `undefined` while the core is away */
  async inspect(token: string, purpose?: Purpose): Promise<Inspection | undefined> {
    const inspection = this.core.inspect(token, purpose);
    // Who is only looked at must not be taken in: a token that is refused anyway tells which issuer to ask.
    if (!lacksKeys(inspection?.code)) return inspection;
    const fetched = await this.#fetchedKeysFor(this.core.authenticate(token, purpose));
    return fetched ? this.core.inspect(token, purpose) : inspection;
  }

  /** Whether the token was refused for want of keys and they are here now */
  async #fetchedKeysFor(answer: Authentication): Promise<boolean> {
    if (answer.ok || !answer.issuer || !lacksKeys(answer.code)) return false;
    return this.keys.refetch(answer.issuer, answer.code);
  }

  /**
   * Explains a decision for whoever is signed in under an entity ref; `undefined` for nobody. Everything is told, unless it is said
   * who reads it
   */
  explain(
    entityRef: string,
    permission: PermissionInput,
    resource?: ResourceInput,
    options?: ExplainOptions,
  ): ExplainedDecision | undefined {
    return this.explainAsking(entityRef, permission, resource, options)?.answer;
  }

  /** The same with what rules of other plugins could say */
  explainAsking(
    entityRef: string,
    permission: PermissionInput,
    resource?: ResourceInput,
    options?: ExplainOptions,
  ): { answer: ExplainedDecision; asks: string[] } | undefined {
    const running = {
      core: this.core,
      asksFallback: this.asksFallback,
      whyUnknown: (principal: PrincipalHandle) => this.whyUnknown(principal),
    };
    return this.about(entityRef, principal => explainRunning(running, principal, permission, resource, options));
  }

  /** What a sign-in would have to be like to change a refusal */
  stepUp(entityRef: string, permission: PermissionInput): readonly StepUp[] | undefined {
    return this.about(entityRef, principal => this.core.explain(principal, permission))?.stepUp;
  }

  /** Asks something about whoever is signed in under an entity ref; `undefined` for nobody */
  about<T>(entityRef: string, question: (principal: PrincipalHandle) => T | undefined): T | undefined {
    const ask = (handle?: PrincipalHandle) => (handle === undefined ? undefined : question(handle));
    // The core may have given the handle up to make room.
    return ask(this.sessions.find(entityRef)) ?? ask(this.sessions.renew(entityRef));
  }

  /** Decides for whoever is signed in under a Backstage user entity ref; DENY for nobody */
  decide(entityRef: string, permission: PermissionInput): Decision {
    const principal = this.sessions.find(entityRef);
    if (principal === undefined) return UNKNOWN_PRINCIPAL;
    const decision = this.core.decide(principal, permission);
    if (decision.ground !== 'unknownPrincipal') return decision;
    const renewed = this.sessions.renew(entityRef);
    return renewed === undefined ? decision : this.core.decide(renewed, permission);
  }
}

const GAPS = {
  notLoaded: 'the directory of the tenant has not been loaded whole yet',
  stale: 'what is known of the tenant is older than `entraAccess.groups.graph.staleAfter`',
  newAccount: 'the directory does not know the account yet',
} as const;

const REPLAYED = {
  ok: false,
  code: 'token_replayed',
  advice: 'this token counts once and was used before; get a new one for each call',
} as const;

function lacksKeys(code?: string): code is 'key_unknown' | 'keys_unavailable' {
  return code === 'key_unknown' || code === 'keys_unavailable';
}
