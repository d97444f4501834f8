import type { PermissionInput, Study } from '../core';
import type { Placed, Place } from './documents';
import { readEntity, type WrittenEntity } from './entities';
import { askCatalogRules } from './pluginRules';
import { quoted } from '../service/text';
import type { Caller, World } from './world';

/** Who asks for what, and on which entity */
export interface Question {
  caller: Caller;
  permission: PermissionInput;
  entity?: WrittenEntity;
  /** Where it is asked */
  place: Place;
}

/**
 * Puts a question to the core. Where an entity is named, its plugin's own rules are asked about it, and the answer is final.
 * @throws ConfigurationError when a rule that it hangs on could not be asked, or the permission is about no entity
 */
export function decide(world: World, { caller, permission, entity, place }: Question): Study {
  if (entity && permission.resourceType !== 'catalog-entity') {
    const about = permission.resourceType ? `resources of type ${permission.resourceType}` : 'no resource';
    throw place.mistake(
      `permission \`${permission.name}\` is about ${about}, not about an entity`,
      'leave the entity out',
    );
  }
  const resource = entity && { entityRef: entity.entityRef, owners: entity.owners };
  const open = known(world.core.study(caller.handle, permission, resource));
  if (!entity || open.asks.length === 0) return open;
  const { answered, unanswered } = askCatalogRules(open.asks, entity.entity);
  const study = known(world.core.study(caller.handle, permission, resource, { answered }));
  if (study.explanation.result !== 'CONDITIONAL') return study;
  throw place.mistake(`permission \`${permission.name}\` could not be decided: ${unanswered.join('; ')}`);
}

function known(study: Study | undefined): Study {
  // The caller has just signed in, and there is a policy.
  if (!study) throw new Error('the core does not know the caller any more');
  return study;
}

/** An entity by its ref in the catalog's files, or written down where it is named. @throws ConfigurationError */
export async function findEntity(world: World, { value, place }: Placed, file: string): Promise<WrittenEntity> {
  if (typeof value !== 'string') {
    const described = typeof value === 'object' && value !== null && !Array.isArray(value);
    return readEntity({ value: described ? { apiVersion: 'backstage.io/v1alpha1', ...value } : value, place }, file);
  }
  const found = world.entities.get(value.toLowerCase());
  if (found) return found;
  const refs = [...world.entities.keys()];
  throw place.mistake(
    `there is no entity ${quoted(value)} in the files of \`catalog\``,
    refs.length > 0
      ? `there are ${refs.slice(0, 10).join(', ')}`
      : 'name files under `catalog`, or write the entity here',
  );
}
