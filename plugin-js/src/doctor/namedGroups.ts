import { isGuid } from '../core';
import type { CatalogLook, Section } from './subject';

/** Ids of Entra groups in lower case, each with the places that name it */
export type Named = ReadonlyMap<string, readonly string[]>;
/** A catalog that could be read */
export type KnownCatalog = Extract<CatalogLook, { known: true }>;
type Entry = readonly [group: string, place: string];

/** All that the configuration and the policy name */
export function configuredGroups(section: Section, policy: string): Named {
  const mapping = mappingOf(section).map(({ group, owner }): Entry => [group, `groups.mapping (${owner})`]);
  return gather([...policyEntries(policy), ...givenEntries(section), ...mapping]);
}

/** Those that rules name */
export function policyGroups(policy: string): Named {
  return gather(policyEntries(policy));
}

/** Those that jobs and applications are given */
export function givenGroups(section: Section): Named {
  return gather(givenEntries(section));
}

/** Those that the catalog's annotations name, by the catalog groups */
export function annotatedGroups({ groups }: KnownCatalog): Named {
  return gather(groups.flatMap(({ entityRef, groupId }) => (isGuid(groupId) ? [[groupId, entityRef] as const] : [])));
}

/** Those that stand for an owner: by an annotation that counts, or by the mapping */
export function boundGroups(section: Section, { groups, problems = [] }: KnownCatalog): ReadonlySet<string> {
  const bad = new Set(problems.map(({ entityRef }) => entityRef));
  const annotations = groups.flatMap(({ entityRef, groupId }) =>
    isGuid(groupId) && !bad.has(entityRef) ? groupId : [],
  );
  return new Set([...annotations, ...mappingOf(section).map(({ group }) => group)].map(id => id.toLowerCase()));
}

/** Entra groups and owners beside the catalog's annotations */
export function mappingOf({ groups }: Section) {
  return groups?.mapping ?? [];
}

function policyEntries(policy: string): Entry[] {
  const { rules } = JSON.parse(policy) as { rules: Array<{ id: string; principals?: Array<{ group?: string }> }> };
  return rules.flatMap(({ id, principals = [] }) =>
    principals.flatMap(({ group }): Entry[] => (group === undefined ? [] : [[group, `rule ${id}`]])),
  );
}

function givenEntries({ groups, pipelines = [] }: Section): Entry[] {
  const jobs = pipelines.flatMap(({ id, trust }) =>
    trust.flatMap(entry => entry.groups.map((group): Entry => [group, `pipeline ${id}, trust entry ${entry.name}`])),
  );
  const workloads = (groups?.workloads ?? []).flatMap(({ client, groups: ids }) =>
    ids.map((group): Entry => [group, `groups.workloads (${client})`]),
  );
  return [...jobs, ...workloads];
}

function gather(entries: readonly Entry[]): Named {
  const named = new Map<string, string[]>();
  for (const [id, place] of entries) {
    const key = id.toLowerCase();
    named.set(key, [...(named.get(key) ?? []), place]);
  }
  return named;
}
