/** Which Entra groups access hangs on: the policy, the mapping and the catalog name them */
import { list, mapping } from '../service/loosely';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Object ids, in lower case. Both documents are judged by the core; whatever is not of the expected shape names no group
 * @param policy JSON text
 * @param configuration the section `entraAccess`
 */
export function groupsNamed(policy: string, configuration: unknown): Set<string> {
  const rules = list(mapping(JSON.parse(policy)).rules);
  const selectors = rules.flatMap(rule => list(mapping(rule).principals)).map(selector => mapping(selector).group);
  const mapped = list(mapping(mapping(configuration).groups).mapping).map(entry => mapping(entry).group);
  const ids = [...selectors, ...mapped].filter(id => typeof id === 'string' && GUID.test(id));
  return new Set(ids.map(id => String(id).toLowerCase()));
}
