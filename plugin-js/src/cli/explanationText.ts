import type { ConsideredRule, Requirement } from '../core';
import type { Explained } from './policyExplain';
import { columns, plain } from './text';

const OUTCOMES: Readonly<Record<ConsideredRule['outcome'], Record<ConsideredRule['effect'], string>>> = {
  applies: { allow: 'allows', deny: 'denies' },
  depends: { allow: 'may allow', deny: 'may deny' },
  not: { allow: '-', deny: '-' },
};

/** For people: the answer first, then everything that it was made of */
export function explanationText(answer: Explained): string {
  const { explanation, caller, permission, entity } = answer;
  const { groups, conditions, stepUp, onBehalfOf } = explanation;
  const on = entity ? ` on ${entity.entityRef}` : '';
  const matched = groups.matched.length > 0 ? `, of which ${groups.matched.join(', ')} bear on it` : '';
  const rows = [
    ['who', `${caller.kind} ${caller.objectId} of tenant ${caller.tenantId}, as ${caller.entityRef}`],
    ['rule', explanation.rule ?? 'none'],
    ...explanation.reasons.map((reason, at) => [at === 0 ? 'because' : '', reason]),
    ['groups', `${groups.state}${groups.state === 'known' ? `: ${groups.count}${matched}` : ''}`],
    ...(onBehalfOf
      ? [['for', `${onBehalfOf.person}: the agent ${onBehalfOf.agentResult}, the person ${onBehalfOf.personResult}`]]
      : []),
    ...(stepUp ?? []).map(step => ['step up', `would help: ${stepText(step)}`]),
    ...(conditions ? [['where', conditionsText(conditions)]] : []),
    ...(answer.catalogKnown ? [] : [['catalog', 'not known, so nobody certainly owns anything (--catalog)']]),
  ];
  return `${plain(explanation.result)} ${plain(permission.name + on)}\n${columns(rows)}\n\n${rulesText(answer)}`;
}

function stepText({ authContext, mfa, signedInWithin }: Requirement): string {
  const asked = [
    authContext && `authentication context ${authContext}`,
    mfa && 'more than one factor',
    signedInWithin && `a sign-in within the last ${signedInWithin} seconds`,
  ];
  return asked.filter(Boolean).join(' and ');
}

function conditionsText({ owned, owners, criteria }: NonNullable<Explained['explanation']['conditions']>): string {
  const through = owners.length > 0 ? owners.join(', ') : 'nothing';
  const asked = criteria ? JSON.stringify(criteria) : `the entity is ${owned ? '' : 'not '}owned by the caller`;
  return `${asked} (the caller owns through ${through})`;
}

function rulesText({ rules, allRules }: Explained): string {
  const covering = new Set(rules.map(({ rule }) => rule));
  const others = allRules.filter(id => !covering.has(id));
  const head = `${covering.size} of ${allRules.length} rules are about this permission`;
  // An agent is considered twice, as itself and as its person.
  const twice = new Set(rules.map(({ kind }) => kind)).size > 1;
  const rows = rules.map(({ rule, effect, outcome, kind, why }) => [
    OUTCOMES[outcome][effect],
    ...(twice ? [`as ${kind}`] : []),
    rule,
    // The sentence names its rule, and so does the column before it.
    why.replace(`rule \`${rule}\` `, ''),
  ]);
  const list = rows.length > 0 ? `:\n${columns(rows)}` : '';
  return `${head}${list}\n${others.length > 0 ? `not about it: ${plain(others.join(', '))}\n` : ''}`;
}

/** For machines */
export function explanationJson({ explanation, rules, allRules, caller, permission, entity, ...rest }: Explained) {
  const covering = new Set(rules.map(({ rule }) => rule));
  const { kind, tenantId, objectId, entityRef } = caller;
  return {
    ...explanation,
    permission,
    principal: { kind, tenantId, objectId, entityRef },
    entity: entity ? { entityRef: entity.entityRef, owners: entity.owners } : null,
    rules,
    otherRules: allRules.filter(id => !covering.has(id)),
    catalogKnown: rest.catalogKnown,
    problems: rest.problems,
  };
}
