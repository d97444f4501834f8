/** CASL: rules of one person, who is asked about afterwards; a permission is its action. */
import { Ability } from '@casl/ability';
import type { Decider } from './decider';
import type { Asker, DecisionScene } from './scene';

type Rights = Ability<[string, string]>;
interface Asked<Who> {
  who: Who;
  permission: string;
}

export function casl(scene: DecisionScene): Decider<Asked<Rights>> {
  const abilities = new Map(scene.askers.map(asker => [asker, abilityOf(asker, scene)]));
  return {
    name: 'CASL, ability made beforehand',
    prepare: ({ asker, permission }) => ({ who: abilities.get(asker) as Rights, permission: permission.name }),
    allows: ({ who, permission }) => who.can(permission, 'all'),
  };
}

export function caslAnew(scene: DecisionScene): Decider<Asked<Asker>> {
  return {
    name: 'CASL, ability made for each decision',
    prepare: ({ asker, permission }) => ({ who: asker, permission: permission.name }),
    allows: ({ who, permission }) => abilityOf(who, scene).can(permission, 'all'),
  };
}

function abilityOf({ groups }: Asker, { rules }: DecisionScene): Rights {
  const mine = new Set(groups);
  const apply = rules.filter(({ group }) => mine.has(group));
  const of = (effect: 'allow' | 'deny') => apply.filter(rule => rule.effect === effect);
  // The last rule that fits decides: denials come last.
  return new Ability(
    [...of('allow'), ...of('deny')].map(({ effect, permission }) => ({
      action: permission.name,
      subject: 'all',
      inverted: effect === 'deny',
    })),
  );
}
