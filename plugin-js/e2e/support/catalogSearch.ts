import type { Entity } from '@backstage/catalog-model';
import type { EntitiesSearchFilter, EntityFilter } from '@backstage/plugin-catalog-node';

/** As the catalog's database search does it: rows of lower-case keys and values, one for each relation */
export function matches(filter: EntityFilter, candidate: Entity): boolean {
  if ('not' in filter) return !matches(filter.not, candidate);
  if ('allOf' in filter) return filter.allOf.every(part => matches(part, candidate));
  if ('anyOf' in filter) return filter.anyOf.some(part => matches(part, candidate));
  const { key, values } = filter as EntitiesSearchFilter;
  return (candidate.relations ?? []).some(
    ({ type, targetRef }) =>
      `relations.${type}`.toLowerCase() === key.toLowerCase() &&
      (values === undefined || values.some(value => value.toLowerCase() === targetRef.toLowerCase())),
  );
}
