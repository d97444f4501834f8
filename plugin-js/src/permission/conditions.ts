import type { PermissionCondition, PermissionCriteria } from '@backstage/plugin-permission-common';
import { RULES } from '../catalog/ownershipRules';
import type { OwnedByPrincipalParams } from '../catalog/paramsSchema';
import type { Criteria, ForeignRule } from '../core';

/** A condition in Backstage's form */
export type Conditions = PermissionCriteria<PermissionCondition>;

/** Puts the caller in: all that differs from one caller to the next, and of constant size */
type Template = (params: OwnedByPrincipalParams) => Conditions;

/** Made once for each condition of the policy and type of resource */
const templates = new WeakMap<Criteria, Map<string, Template>>();

/** The condition under which a resource of this type is allowed to the caller */
export function conditionsOf(criteria: Criteria, resourceType: string, params: OwnedByPrincipalParams): Conditions {
  let ofType = templates.get(criteria);
  if (!ofType) templates.set(criteria, (ofType = new Map()));
  let template = ofType.get(resourceType);
  if (!template) ofType.set(resourceType, (template = templateOf(criteria, resourceType)));
  return template(params);
}

function templateOf(criteria: Criteria, resourceType: string): Template {
  if ('owned' in criteria) {
    // Our own `not`: Backstage's around `IS_OWNED_BY_PRINCIPAL` would make a yes of "this principal is not known here".
    const rule = criteria.owned ? RULES.owned : RULES.notOwned;
    return params => ({ rule, resourceType, params });
  }
  if ('rule' in criteria) {
    const condition = foreign(criteria, resourceType);
    return () => condition;
  }
  if ('not' in criteria) {
    const condition = Object.freeze({ not: foreign(criteria.not, resourceType) });
    return () => condition;
  }
  const all = 'allOf' in criteria;
  const parts = (all ? criteria.allOf : criteria.anyOf).map(part => templateOf(part, resourceType));
  return params => {
    const conditions = parts.map(part => part(params)) as [Conditions, ...Conditions[]];
    return all ? { allOf: conditions } : { anyOf: conditions };
  };
}

/** Params are whatever the operator wrote: the plugin that has the rule checks them */
function foreign(rule: ForeignRule, resourceType: string): PermissionCondition {
  return Object.freeze({ ...rule, resourceType }) as PermissionCondition;
}

/** Types of resources that permissions of several plugins are about, and the plugin that has them */
const PLUGINS: Readonly<Record<string, string>> = { 'catalog-entity': 'catalog' };

/** The plugin that has the resource and its rules: by Backstage's convention the first segment of the permission's name */
export function pluginOf(permission: string, resourceType: string): string {
  return (Object.hasOwn(PLUGINS, resourceType) && PLUGINS[resourceType]) || permission.split('.', 1)[0]!;
}
