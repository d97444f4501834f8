import type { Entity } from '@backstage/catalog-model';
import { AuthorizeResult, type ConditionalPolicyDecision } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer } from '@backstage/plugin-permission-node';
import type { Answered, ForeignRule } from '../core';
import { issuesText } from '../permission/review';
import { firstLine } from '../service/policyText';

const RESOURCE_TYPE = 'catalog-entity';

/** What the catalog's own rules say of an entity, and why some could not be asked */
export interface RuleAnswers {
  answered: Answered;
  /** By the text of the rule */
  unanswered: string[];
}

/** Asks the catalog's own permission rules about an entity, by Backstage's own reading of conditions */
export function askCatalogRules(asks: readonly string[], entity: Entity): RuleAnswers {
  const answers: RuleAnswers = { answered: { holds: [], fails: [] }, unanswered: [] };
  for (const text of asks) {
    const rule = JSON.parse(text) as ForeignRule;
    try {
      answers.answered[holds(rule, entity) ? 'holds' : 'fails'].push(text);
    } catch (error) {
      answers.unanswered.push(`\`${rule.rule}\` could not be asked: ${why(error)}`);
    }
  }
  return answers;
}

function holds({ rule, params }: ForeignRule, entity: Entity): boolean {
  const rules = Object.values(catalogRules());
  const known = rules.map(({ name }) => name);
  if (!known.includes(rule)) {
    throw new Error(
      `it is none of the catalog's own rules (${known.sort().join(', ')}), and others are not available here`,
    );
  }
  const decision = {
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'catalog',
    resourceType: RESOURCE_TYPE,
    conditions: { rule, resourceType: RESOURCE_TYPE, params },
  } as ConditionalPolicyDecision;
  return createConditionAuthorizer<Entity, any>(rules as any)(decision, entity);
}

/** Backstage's own sentence about params holds the whole of zod's report, over many lines */
function why(error: unknown): string {
  const issues = (error as { cause?: { issues?: unknown } }).cause?.issues;
  return Array.isArray(issues) ? `its params are refused: ${issuesText(issues)}` : firstLine(error);
}

/** Of the catalog that is installed beside this package, if there is one */
function catalogRules(): (typeof import('@backstage/plugin-catalog-backend/alpha'))['permissionRules'] {
  try {
    return require('@backstage/plugin-catalog-backend/alpha').permissionRules;
  } catch {
    throw new Error('it is a rule of the catalog; install @backstage/plugin-catalog-backend beside this package');
  }
}
