import type { ConsideredRule } from '../core';
import { columns, plain } from '../service/text';
import type { ExplainedDecision } from './explained';
import { stepText } from './facts';

const OUTCOMES: Readonly<Record<ConsideredRule['outcome'], Record<ConsideredRule['effect'], string>>> = {
  applies: { allow: 'allows', deny: 'denies' },
  depends: { allow: 'may allow', deny: 'may deny' },
  not: { allow: '-', deny: '-' },
};

/** What was asked, in words */
export interface AskedInWords {
  /** Name of the permission */
  permission: string;
  /** Entity ref */
  resource?: string;
  who: string;
  /** More lines, each with its name */
  notes?: ReadonlyArray<readonly [string, string]>;
  /** All rules of the policy, where the reader may know them */
  allRules?: readonly string[];
}

/** For people: the answer first, then everything that it was made of */
export function explanationText(answer: ExplainedDecision, asked: AskedInWords): string {
  const { groups, conditions, stepUp, onBehalfOf, ownership, wouldAllow, withheld } = answer;
  const on = asked.resource === undefined ? '' : ` on ${asked.resource}`;
  const matched = groups.matched.length > 0 ? `, of which ${groups.matched.join(', ')} bear on it` : '';
  const rows = [
    ['who', asked.who],
    ['rule', answer.rule ?? 'none'],
    ...answer.reasons.map((reason, at) => [at === 0 ? 'because' : '', reason]),
    [
      'groups',
      `${groups.state}${groups.state === 'known' && groups.count !== null ? `: ${groups.count}${matched}` : ''}`,
    ],
    ...(onBehalfOf
      ? [['for', `${onBehalfOf.person}: the agent ${onBehalfOf.agentResult}, the person ${onBehalfOf.personResult}`]]
      : []),
    ...(ownership?.path ? [['owned', [...ownership.path.owners, ...ownership.path.groups].join(' <- ')]] : []),
    ...(stepUp ?? []).map(step => ['step up', `would help: ${stepText(step)}`]),
    ...(conditions ? [['where', conditionsText(conditions)]] : []),
    ...(wouldAllow ? waysRows(wouldAllow) : []),
    ...(asked.notes ?? []),
    ['epoch', String(answer.epoch)],
    ...(withheld.length > 0 ? [['withheld', withheld.join(', ')]] : []),
  ];
  return `${plain(answer.result)} ${plain(asked.permission + on)}\n${columns(rows)}\n\n${rulesText(answer, asked.allRules)}`;
}

function waysRows({ ways, text, complete }: NonNullable<ExplainedDecision['wouldAllow']>): string[][] {
  const rows = text === undefined ? [...new Set(ways.map(way => way.text))] : [text];
  return [...rows, ...(complete || text !== undefined ? [] : ['more'])].map((row, at) => [
    at === 0 ? 'it takes' : 'or',
    row,
  ]);
}

function conditionsText({ owned, owners, criteria }: NonNullable<ExplainedDecision['conditions']>): string {
  if (criteria === undefined && owned === undefined) return 'it hangs on groups that are withheld';
  const through = owners.length > 0 ? owners.join(', ') : 'nothing';
  const asked = criteria ? JSON.stringify(criteria) : `the entity is ${owned ? '' : 'not '}owned by the caller`;
  return `${asked} (the caller owns through ${through})`;
}

function rulesText({ rules }: ExplainedDecision, allRules?: readonly string[]): string {
  const considered = rules.filter(({ kind }) => kind === rules[0]?.kind).length;
  const covering = new Set(rules.map(({ rule }) => rule));
  const others = (allRules ?? []).filter(id => !covering.has(id));
  const head = `${considered}${allRules ? ` of ${allRules.length}` : ''} rules are about this permission`;
  // An agent is considered twice, as itself and as its person.
  const twice = new Set(rules.map(({ kind }) => kind)).size > 1;
  const rows = rules.map(({ rule, effect, outcome, kind, why }) => [
    OUTCOMES[outcome][effect],
    ...(twice ? [`as ${kind}`] : []),
    rule ?? '(withheld)',
    // The sentence names its rule, and so does the column before it.
    why.replace(`rule \`${rule}\` `, ''),
  ]);
  const list = rows.length > 0 ? `:\n${columns(rows)}` : '';
  return `${head}${list}\n${others.length > 0 ? `not about it: ${plain(others.join(', '))}\n` : ''}`;
}
