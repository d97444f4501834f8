/** What one writes by hand, and the strongest form of it: answers that are kept for ever. */
import type { AsyncDecider, Decider } from './decider';
import type { DecisionScene, Question } from './scene';

interface RulesOfPermission {
  allow: string[];
  deny: string[];
}

/** Rules by permission, and a Set of groups for each person, made when they sign in */
function mapAndSets({ rules, askers }: DecisionScene) {
  const byPermission = new Map<string, RulesOfPermission>();
  for (const { permission, effect, group } of rules) {
    const present = byPermission.get(permission.name);
    const lists = present ?? { allow: [], deny: [] };
    if (!present) byPermission.set(permission.name, lists);
    lists[effect].push(group);
  }
  const groupsOf = new Map(askers.map(({ entityRef, groups }) => [entityRef, new Set(groups)]));
  const allows = (groups: Set<string>, permission: string): boolean => {
    const lists = byPermission.get(permission);
    if (!lists) return false;
    for (const group of lists.deny) if (groups.has(group)) return false;
    for (const group of lists.allow) if (groups.has(group)) return true;
    return false;
  };
  return { groupsOf, allows };
}

interface Asked {
  groups: Set<string>;
  permission: string;
}

export function mapAndSet(scene: DecisionScene): Decider<Asked> {
  const { groupsOf, allows } = mapAndSets(scene);
  return {
    name: 'Map and Set',
    prepare: ({ asker, permission }) => ({
      groups: groupsOf.get(asker.entityRef) as Set<string>,
      permission: permission.name,
    }),
    allows: ({ groups, permission }) => allows(groups, permission),
  };
}

/** As Backstage asks: by entity ref, and awaited */
export function mapAndSetHandle(scene: DecisionScene): AsyncDecider<Question> {
  const { groupsOf, allows } = mapAndSets(scene);
  return {
    name: 'Map and Set, as async handle()',
    prepare: question => question,
    async allows({ asker, permission }) {
      const groups = groupsOf.get(asker.entityRef);
      return groups !== undefined && allows(groups, permission.name);
    },
  };
}

/** Each answer is computed once for a person and a permission; nothing expires, and no new policy is noticed */
export function remembered(scene: DecisionScene): Decider<{ mine: Map<string, boolean>; permission: string }> {
  const answers = new Map(scene.askers.map(({ entityRef }) => [entityRef, new Map<string, boolean>()]));
  for (const { asker, permission, allowed } of scene.questions)
    answers.get(asker.entityRef)?.set(permission.name, allowed);
  return {
    name: 'Map of answers, kept for ever',
    prepare: ({ asker, permission }) => ({
      mine: answers.get(asker.entityRef) as Map<string, boolean>,
      permission: permission.name,
    }),
    allows: ({ mine, permission }) => mine.get(permission) === true,
  };
}
