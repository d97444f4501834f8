import { explainedDecision } from '../explain/explained';
import { explanationText as textOf } from '../explain/text';
import type { Explained } from './policyExplain';

/** For people: the answer first, then everything that it was made of */
export function explanationText(answer: Explained): string {
  const { caller, permission, entity, allRules, catalogKnown } = answer;
  return textOf(explainedDecision(answer, answer.epoch), {
    permission: permission.name,
    resource: entity?.entityRef,
    who: `${caller.kind} ${caller.objectId} of tenant ${caller.tenantId}, as ${caller.entityRef}`,
    notes: catalogKnown ? [] : [['catalog', 'not known, so nobody certainly owns anything (--catalog)']],
    allRules,
  });
}

/** For machines: what the backend answers, and what was asked */
export function explanationJson(answer: Explained) {
  const { rules, allRules, caller, permission, entity } = answer;
  const covering = new Set(rules.map(({ rule }) => rule));
  const { kind, tenantId, objectId, entityRef } = caller;
  return {
    ...explainedDecision(answer, answer.epoch),
    permission,
    principal: { kind, tenantId, objectId, entityRef },
    entity: entity ? { entityRef: entity.entityRef, owners: entity.owners } : null,
    otherRules: allRules.filter(id => !covering.has(id)),
    catalogKnown: answer.catalogKnown,
    problems: answer.problems,
  };
}
