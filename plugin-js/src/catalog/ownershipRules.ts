import { RELATION_OWNED_BY, type Entity } from '@backstage/catalog-model';
import { catalogEntityPermissionResourceRef } from '@backstage/plugin-catalog-node/alpha';
import { createPermissionRule } from '@backstage/plugin-permission-node';
import type { EntraAccess } from '../service/entraAccess';
import { ownershipHere, type Owners, type Ownership } from './ownership';
import { paramsSchema } from './paramsSchema';

/** Names of the rules in conditions */
export const RULES = { owned: 'IS_OWNED_BY_PRINCIPAL', notOwned: 'IS_NOT_OWNED_BY_PRINCIPAL' } as const;

const KEY = 'relations.ownedBy';
/** An empty list of values matches no entity */
const NOTHING = { key: KEY, values: [] };

/** The two rules, answered from the sessions and the directory of this process */
export function createOwnershipRules(entraAccess: EntraAccess) {
  return ownershipRules(ownershipHere(entraAccess));
}

/**
 * The two rules: whether an entity is, or is not, owned by the principal or by one of its Entra groups.
 *
 * Backstage's own `not` around the first would turn "this principal is not known here" into a yes: for a principal that
 * is not known, both rules say no. Nor are they each other's opposite while the directory is behind the catalog: the first
 * counts the owners that are known to own something, the second every owner that the principal may stand for.
 */
export function ownershipRules(ownership: Ownership) {
  const owned = createPermissionRule({
    name: RULES.owned,
    description: 'Allow entities owned by the principal or by one of its Entra groups',
    resourceRef: catalogEntityPermissionResourceRef,
    paramsSchema,
    apply: (entity, params) => owns(ownership.owning(params), entity),
    toQuery(params) {
      const mine = ownership.owning(params);
      return mine ? { key: KEY, values: [...mine] } : NOTHING;
    },
  });
  const notOwned = createPermissionRule({
    name: RULES.notOwned,
    description: 'Allow entities owned neither by the principal nor by one of its Entra groups',
    resourceRef: catalogEntityPermissionResourceRef,
    paramsSchema,
    apply(entity, params) {
      const mine = ownership.possible(params);
      return mine !== undefined && !owns(mine, entity);
    },
    toQuery(params) {
      const mine = ownership.possible(params);
      return mine ? { not: { key: KEY, values: [...mine] } } : NOTHING;
    },
  });
  return [owned, notOwned];
}

/** Without a callback for each relation, which was a sixth of its time: it is asked about every entity of a page */
function owns(owners: Owners, { relations }: Entity): boolean {
  if (!owners || !relations) return false;
  for (const { type, targetRef } of relations) {
    if (type === RELATION_OWNED_BY && owners.has(targetRef)) return true;
  }
  return false;
}
