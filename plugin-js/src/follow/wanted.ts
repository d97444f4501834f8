/** Which Entra groups access hangs on: the policy, the mapping and the catalog name them */
import { isGuid } from '../core';
import { list, mapping } from '../service/loosely';

/**
 * Object ids, in lower case. Both documents are judged by the core; whatever is not of the expected shape names no group
 * @param policy JSON text
 * @param configuration the section `entraAccess`
 */
export function groupsNamed(policy: string, configuration: unknown): Set<string> {
  const rules = list(mapping(JSON.parse(policy)).rules);
  const selectors = rules.flatMap(rule => list(mapping(rule).principals)).map(selector => mapping(selector).group);
  const mapped = list(mapping(mapping(configuration).groups).mapping).map(entry => mapping(entry).group);
  const ids = [...selectors, ...mapped].filter(isGuid);
  return new Set(ids.map(id => id.toLowerCase()));
}
