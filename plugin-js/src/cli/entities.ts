import {
  DefaultNamespaceEntityPolicy,
  EntityPolicies,
  FieldFormatEntityPolicy,
  NoForeignRootFieldsEntityPolicy,
  parseEntityRef,
  RELATION_OWNED_BY,
  SchemaValidEntityPolicy,
  stringifyEntityRef,
  type Entity,
} from '@backstage/catalog-model';
import { LineCounter, parseAllDocuments } from 'yaml';
import { ConfigurationError } from '../core';
import { firstLine } from '../service/policyText';
import { Place, readText, type Placed } from './documents';

/** An entity as it is written in a file, with what the catalog would make of its owner */
export interface WrittenEntity {
  /** With the namespace and the `ownedBy` relations that the catalog would give it */
  entity: Entity;
  entityRef: string;
  owners: string[];
  /** The file that it is written in, as it was named */
  file: string;
  place: Place;
}

/** What the catalog itself checks of any entity, whatever its kind (`CatalogBuilder`) */
const CHECKS = EntityPolicies.allOf([
  new SchemaValidEntityPolicy(),
  new DefaultNamespaceEntityPolicy(),
  new NoForeignRootFieldsEntityPolicy(['apiVersion', 'kind', 'metadata', 'spec', 'relations', 'status']),
  new FieldFormatEntityPolicy(),
]);

/** Kinds whose `spec.owner` becomes an `ownedBy` relation (`BuiltinKindsEntityProcessor`, and the scaffolder's for templates) */
const OWNED_KINDS: ReadonlySet<string> = new Set(['Component', 'API', 'Resource', 'System', 'Domain', 'Template']);

/** Reads all entities of a file such as catalog-info.yaml. @throws ConfigurationError with the line of the first mistake */
export async function readEntities(file: string): Promise<WrittenEntity[]> {
  const lines = new LineCounter();
  const documents = parseAllDocuments(readText(file), { uniqueKeys: true, strict: true, lineCounter: lines });
  const found: WrittenEntity[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const { line } = lines.linePos(document.contents?.range?.[0] ?? document.range[0]);
    const place = new Place(file, mistake => mistake.at(line));
    const [mistake] = document.errors;
    if (mistake) throw new ConfigurationError({ path: file, message: firstLine(mistake) });
    const value = plainValue(() => document.toJS(), place);
    // An empty document, such as after a last `---`, is none.
    if (value !== null) found.push(await readEntity({ value, place }, file));
  }
  if (found.length === 0) throw new ConfigurationError({ path: file, message: 'there is no entity in it' });
  return found;
}

/** Aliases are followed only here, and only so many */
function plainValue(follow: () => unknown, place: Place): unknown {
  try {
    return JSON.parse(JSON.stringify(follow() ?? null));
  } catch (error) {
    throw place.mistake(firstLine(error));
  }
}

/** Reads one entity. @throws ConfigurationError */
export async function readEntity({ value, place }: Placed, file: string): Promise<WrittenEntity> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw place.mistake('an entity is a mapping with apiVersion, kind and metadata');
  }
  let entity: Entity;
  try {
    // The checks complete what they check.
    entity = (await CHECKS.enforce(value as Entity)) ?? (value as Entity);
  } catch (error) {
    throw place.mistake(firstLine(error), 'an entity as in catalog-info.yaml');
  }
  const owners = ownersOf(entity, place);
  const relations = entity.relations ?? owners.map(targetRef => ({ type: RELATION_OWNED_BY, targetRef }));
  return { entity: { ...entity, relations }, entityRef: stringifyEntityRef(entity), owners, file, place };
}

/** By its relations, where it is written down as the catalog has it, otherwise by what the catalog would make of `spec.owner` */
function ownersOf(entity: Entity, place: Place): string[] {
  const { relations, kind, metadata } = entity;
  if (relations) {
    if (!Array.isArray(relations) || relations.some(relation => typeof relation?.targetRef !== 'string')) {
      throw place.at('relations').mistake('is not a list of { type, targetRef }');
    }
    return relations.filter(({ type }) => type === RELATION_OWNED_BY).map(({ targetRef }) => targetRef);
  }
  const owner = entity.spec?.owner;
  if (owner === undefined) return [];
  if (!OWNED_KINDS.has(kind)) {
    throw place
      .at('spec', 'owner')
      .mistake(
        `by whom a ${kind} is owned is not known here: a processor of your catalog says so`,
        'write `relations: [{ type: ownedBy, targetRef: group:default/... }]`, as the catalog shows them',
      );
  }
  try {
    const defaults = { defaultKind: 'Group', defaultNamespace: metadata.namespace };
    return [stringifyEntityRef(parseEntityRef(owner as string, defaults))];
  } catch {
    throw place.at('spec', 'owner').mistake('is not an entity reference', 'such as group:default/payments');
  }
}
