/** Any question to the permissions service: those that a plugin asks, and those that nobody should */
import { createPermission, type Permission } from '@backstage/plugin-permission-common';
import { mulberry32 } from '../../dev/mulberry32';

const entity = 'catalog-entity';
const resource = (name: string, action: 'read' | 'update' | 'delete' | undefined, resourceType: string) =>
  createPermission({ name, attributes: action ? { action } : {}, resourceType });

export const PERMISSIONS: Permission[] = [
  resource('catalog.entity.read', 'read', entity),
  resource('catalog.entity.refresh', 'update', entity),
  resource('catalog.entity.delete', 'delete', entity),
  createPermission({ name: 'catalog.entity.create', attributes: { action: 'create' } }),
  resource('shelf.book.read', 'read', 'shelf-book'),
  // No plugin has these.
  resource('shelf.magazine.read', 'read', 'shelf-magazine'),
  createPermission({ name: 'nobody.thing.use', attributes: {} }),
  createPermission({ name: 'catalog.location.read', attributes: { action: 'read' } }),
];

/** Not quite permissions */
const ODD: unknown[] = [
  { type: 'basic', name: 'catalog.entity.create', attributes: { action: 'fly' } },
  { type: 'basic', name: 'catalog.entity.read', attributes: { action: 'read' }, resourceType: entity },
  { type: 'resource', name: 'catalog.entity.read', attributes: {} },
  { type: 'resource', name: 'catalog.entity.read', attributes: { action: 'read', more: 1 }, resourceType: entity },
  { type: 'other', name: 'catalog.entity.read', attributes: {} },
  { type: 'basic', name: 7, attributes: {} },
  { type: 'basic', name: 'catalog.entity.create' },
  { type: 'basic', name: '', attributes: {} },
];

const REFS: Record<string, string[]> = {
  [entity]: ['component:default/payments-api', 'component:default/search-api', 'component:default/nothing', 'nonsense'],
  'shelf-book': ['atlas', 'ledger', 'novel', 'nothing'],
  'shelf-magazine': ['any'],
};

/** One call of either method */
export interface Call {
  method: 'authorize' | 'authorizeConditional';
  queries: any[];
}

/** A generator that repeats itself for a seed */
export function calls(seed: number): () => Call {
  const next = mulberry32(seed);
  const below = (limit: number) => next() % limit;
  const pick = <T>(all: readonly T[]): T => all[below(all.length)]!;
  const query = (method: Call['method']) => {
    const odd = below(40) === 0;
    const permission: any = odd ? pick(ODD) : pick(PERMISSIONS);
    const refs = REFS[permission.resourceType as string];
    // As it should be: with a resource to be decided, without one to be told the condition. Now and then the other way round.
    const usual = method === 'authorize';
    const named = refs !== undefined && (below(10) === 0 ? !usual : usual);
    const stray = below(60) === 0;
    return {
      permission,
      ...(named ? { resourceRef: pick(refs) } : {}),
      ...(stray ? pick([{ resourceRef: '' }, { resourceRef: ['atlas', 'novel'] }, { id: 'mine' }, { more: 1 }]) : {}),
    };
  };
  return () => {
    const method = pick(['authorize', 'authorizeConditional'] as const);
    const size = below(20) === 0 ? 0 : 1 + below(below(4) === 0 ? 12 : 3);
    return { method, queries: Array.from({ length: size }, () => query(method)) };
  };
}
