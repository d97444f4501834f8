import type {
  Answered,
  Audience,
  ConsideredRule,
  Explanation,
  Ownership,
  PermissionInput,
  PrincipalHandle,
  Remedies,
  ResourceInput,
  Study,
  Withheld,
} from '../core';
import { withClaims } from '../service/claimsChallenge';
import { noWayText, wayText } from './facts';

/** What would turn a refusal, also in words */
export interface WouldAllow extends Remedies {
  ways: Array<Remedies['ways'][number] & { text: string }>;
  /** Where there is no way */
  text?: string;
}

/** An explained decision with its working, as far as its reader may know: the same by HTTP, as a call and on the command line */
export interface ExplainedDecision extends Explanation {
  /** Version of directory, policy and keys; the audit trail names the same one */
  epoch: number;
  /** Every rule that is about the permission: for the caller, and then for the person for whom an agent calls */
  rules: ConsideredRule[];
  /** Where a resource was named that can be owned */
  ownership?: Ownership;
  /** Of a refusal */
  wouldAllow?: WouldAllow;
  /** What the reader may not know and is therefore left out */
  withheld: Withheld[];
}

/** What is answered beside the question itself */
export interface ExplainOptions {
  /** What rules of other plugins say of the resource */
  answered?: Answered;
  /** Who reads it; everything is told where that is not said */
  audience?: Audience;
}

/** One answer out of what the core has studied */
export function explainedDecision(
  { explanation, rules, ownership, wouldAllow, withheld }: Study,
  epoch: number,
): ExplainedDecision {
  return {
    ...withClaims(explanation),
    epoch,
    rules,
    ...(ownership ? { ownership } : {}),
    ...(wouldAllow ? { wouldAllow: inWords(wouldAllow) } : {}),
    withheld,
  };
}

function inWords(remedies: Remedies): WouldAllow {
  const ways = remedies.ways.map(way => ({ ...way, text: wayText(way) }));
  return { ...remedies, ways, ...(ways.length === 0 ? { text: noWayText(remedies) } : {}) };
}

/** What explaining needs of the running process */
interface Running {
  readonly core: {
    readonly epoch: number;
    study(
      principal: PrincipalHandle,
      permission: PermissionInput,
      resource?: ResourceInput,
      options?: ExplainOptions,
    ): Study | undefined;
    decide(principal: PrincipalHandle, permission: PermissionInput): { ground: string };
  };
  readonly asksFallback: boolean;
  whyUnknown(principal: PrincipalHandle): string | undefined;
}

/** Explains a decision about somebody in a running backend; `asks`: what other plugins could say, see {@link Study.asks} */
export function explainRunning(
  { core, asksFallback, whyUnknown }: Running,
  principal: PrincipalHandle,
  permission: PermissionInput,
  resource?: ResourceInput,
  options?: ExplainOptions,
): { answer: ExplainedDecision; asks: string[] } | undefined {
  const study = core.study(principal, permission, resource, options);
  if (!study) return undefined;
  const answer = explainedDecision(study, core.epoch);
  const reasons = [...answer.reasons];
  // Why somebody's groups are not known says something about them.
  const reason = seesMemberships(options?.audience) ? whyUnknown(principal) : undefined;
  // The answer of the other policy is not to be had without asking it.
  const fallback = asksFallback && core.decide(principal, permission).ground === 'default';
  if (fallback) reasons.unshift('no rule speaks about it: the fallback policy decides, and is not asked here');
  if (reason) reasons.push(reason);
  return {
    asks: study.asks,
    answer: {
      ...answer,
      reasons,
      ...(fallback ? { fallback } : {}),
      groups: { ...answer.groups, ...(reason ? { reason } : {}) },
    },
  };
}

/** Whether the reader may know in which groups the principal is */
function seesMemberships(audience?: Audience): boolean {
  return audience === undefined || audience.own || audience.groups;
}
