/**
 * A policy that every contender can say in its own words: each rule names one group and one permission; deny by default,
 * and deny overrides allow. Nobody is put at a disadvantage by wildcards or conditions.
 */
import assert from 'node:assert/strict';
import type { PermissionInput } from '../../../plugin-js/src/core';
import { guid, seeded, shuffled, type Random } from '../../random';

const SEED = 5;
const ASKERS = 16;
/** One rule in this many denies */
const DENY_EVERY = 10;
/** A group in which somebody is, rather than any group of the company: rules are written for people */
const ABOUT_SOMEBODY = 0.5;

/** Permissions of Backstage's own plugins */
const PERMISSIONS: readonly PermissionInput[] = [
  { name: 'catalog.entity.read', action: 'read', resourceType: 'catalog-entity' },
  { name: 'catalog.entity.create', action: 'create' },
  { name: 'catalog.entity.delete', action: 'delete', resourceType: 'catalog-entity' },
  { name: 'catalog.entity.refresh', action: 'update', resourceType: 'catalog-entity' },
  { name: 'catalog.location.read', action: 'read' },
  { name: 'catalog.location.create', action: 'create' },
  { name: 'catalog.location.delete', action: 'delete' },
  { name: 'scaffolder.task.create', action: 'create' },
  { name: 'scaffolder.task.cancel' },
  { name: 'kubernetes.proxy' },
];

export interface Rule {
  id: string;
  effect: 'allow' | 'deny';
  permission: PermissionInput;
  group: string;
}

export interface Asker {
  entityRef: string;
  objectId: string;
  /** Object ids of Entra groups */
  groups: string[];
}

export interface Question {
  asker: Asker;
  permission: PermissionInput;
  /** What everybody must answer */
  allowed: boolean;
}

export interface DecisionScene {
  rules: Rule[];
  /** In how many groups each asker is, and of how many */
  groupsEach: number;
  universe: number;
  askers: Asker[];
  /** Every asker with every permission, in an order without pattern */
  questions: Question[];
}

/** How many groups there are, where each asker is in so many */
export const universeOf = (groupsEach: number): number => Math.max(1_000, 20 * groupsEach);

/** `groupsEach`: in how many groups each asker is */
export function decisionScene(ruleCount: number, groupsEach: number): DecisionScene {
  const random = seeded(SEED);
  const universe = universeOf(groupsEach);
  const all = Array.from({ length: universe }, () => guid(random));
  const askers = Array.from({ length: ASKERS }, (_, at) => ({
    entityRef: `user:default/person-${at}`,
    objectId: guid(random),
    groups: shuffled(all, random).slice(0, groupsEach),
  }));
  const rules = makeRules(ruleCount, askers, all, random);
  const questions = askers.flatMap(asker =>
    PERMISSIONS.map(permission => ({ asker, permission, allowed: allows(rules, asker, permission) })),
  );
  const allowed = questions.filter(question => question.allowed).length;
  assert.ok(allowed > 0 && allowed < questions.length, 'every question has the same answer, which anybody gives');
  return { rules, groupsEach, universe, askers, questions: shuffled(questions, random) };
}

function makeRules(count: number, askers: Asker[], all: string[], random: Random): Rule[] {
  const oneOf = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
  const pairs = new Set<string>();
  return Array.from({ length: count }, (_, at) => {
    for (;;) {
      const group = random() < ABOUT_SOMEBODY ? oneOf(oneOf(askers).groups) : oneOf(all);
      const permission = oneOf(PERMISSIONS);
      const pair = `${group} ${permission.name}`;
      // The same pair twice would be a rule that another makes pointless.
      if (pairs.has(pair)) continue;
      pairs.add(pair);
      return { id: `rule-${at}`, effect: at % DENY_EVERY === DENY_EVERY - 1 ? 'deny' : 'allow', permission, group };
    }
  });
}

/** The plainest reading of the rules */
function allows(rules: Rule[], { groups }: Asker, { name }: PermissionInput): boolean {
  const apply = rules.filter(({ permission, group }) => permission.name === name && groups.includes(group));
  return apply.length > 0 && apply.every(({ effect }) => effect === 'allow');
}
