/**
 * The catalog that every peer has: 200 teams, one person, 1,000 components, and groups inside groups. Written into the
 * tables of the catalog (4.0.0) as its processing leaves them: processing 20,000 entities would take longer than measuring.
 */
import type { Entity } from '@backstage/catalog-model';
import type { Knex } from 'knex';
import { people, type Group } from '../../plugin-js/dev/tenant/people';
import { guid, seeded } from '../random';

export const TEAMS = 200;
export const COMPONENTS = 1_000;
/** Teams in which the person is: as many groups in the token, and as many claims */
export const CLAIMS = 50;

export const PERSON = 'user:default/somebody';
/** Somebody in more teams than there are */
export const CROWDED_PERSON = 'user:default/somebody-in-many-teams';
export const teamRef = (at: number) => `group:default/team-${at}`;
export const componentRef = (at: number) => `component:default/service-${at}`;
const nestedRef = (at: number) => `group:default/nested-${at}`;

/** As many parts of the catalog as a statement takes well */
const CHUNK = 2_000;
/** No group has more groups inside */
const FANOUT = 4;
/** The catalog's processing must leave everything as it is */
const NEVER = '2100-01-01T00:00:00Z';

const random = seeded(20);
/** The Entra group that a team stands for: one of those of the person who is in more than a token lists */
export const teamGroup = (at: number) => (people.maxine.groups[at] as Group).id;

export interface Row {
  entity: Entity;
  ref: string;
}

/** Teams, person and components; the person is said to be in the first team only, which is the least work for who asks the catalog */
export function baseEntities(): Row[] {
  return [
    ...Array.from({ length: TEAMS }, (_, at) => group(teamRef(at), teamGroup(at))),
    row(PERSON, 'User', { memberOf: ['team-0'] }, [{ type: 'memberOf', targetRef: teamRef(0) }]),
    ...Array.from({ length: COMPONENTS }, (_, at) => {
      const owner = teamRef(at % TEAMS);
      const spec = { type: 'service', lifecycle: 'production', owner };
      return row(componentRef(at), 'Component', spec, [{ type: 'ownedBy', targetRef: owner }]);
    }),
  ];
}

/** How many components whoever is in the first `CLAIMS` teams owns */
export const OWNED = (COMPONENTS / TEAMS) * CLAIMS;

/** Groups inside groups, each a group of Entra; the first team comes to stand at the bottom */
export function nestedEntities(count: number): Row[] {
  if (count === 0) return [];
  const above = (at: number) => (at === 0 ? undefined : nestedRef(Math.floor((at - 1) / FANOUT)));
  const inside = Array.from({ length: count }, (_, at) => group(nestedRef(at), guid(random), above(at)));
  return [...inside, group(teamRef(0), teamGroup(0), nestedRef(count - 1))];
}

function group(ref: string, id: string, parent?: string): Row {
  const relations = parent === undefined ? [] : [{ type: 'childOf', targetRef: parent }];
  return row(ref, 'Group', { type: 'team', children: [], ...(parent && { parent }) }, relations, {
    'graph.microsoft.com/group-id': id,
  });
}

function row(
  ref: string,
  kind: string,
  spec: Entity['spec'],
  relations: Entity['relations'],
  annotations: Record<string, string> = {},
): Row {
  const location = 'msgraph:bench/1';
  const entity: Entity = {
    apiVersion: 'backstage.io/v1alpha1',
    kind,
    metadata: {
      namespace: 'default',
      name: ref.split('/')[1] as string,
      uid: guid(random),
      etag: guid(random),
      annotations: {
        'backstage.io/managed-by-location': location,
        'backstage.io/managed-by-origin-location': location,
        ...annotations,
      },
    },
    spec,
    relations,
  };
  return { entity, ref };
}

/** Puts entities in, in the place of those of the same refs */
export async function fill(database: Knex, rows: Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += CHUNK) await fillChunk(database, rows.slice(from, from + CHUNK));
  await database.raw('analyze');
}

async function fillChunk(database: Knex, rows: Row[]): Promise<void> {
  const now = new Date().toISOString();
  const insert = (table: string, records: object[]) =>
    database.raw('insert into ?? select * from json_populate_recordset(null::??, ?)', [
      ...[table, table],
      JSON.stringify(records),
    ]);
  await database('refresh_state')
    .whereIn(
      'entity_ref',
      rows.map(({ ref }) => ref),
    )
    .delete();
  const id = ({ entity }: Row) => entity.metadata.uid;
  await insert(
    'refresh_state',
    rows.map(each => ({
      ...{ entity_id: id(each), entity_ref: each.ref, unprocessed_entity: JSON.stringify(each.entity), errors: '[]' },
      ...{ next_update_at: NEVER, last_discovery_at: now },
    })),
  );
  // What nothing refers to, the catalog deletes.
  const references = rows.map(({ ref }) => ({ source_key: 'bench', target_entity_ref: ref }));
  await database.batchInsert('refresh_state_references', references, CHUNK);
  await insert(
    'final_entities',
    rows.map(each => ({
      ...{ entity_id: id(each), entity_ref: each.ref, hash: each.entity.metadata.etag },
      ...{ final_entity: JSON.stringify(each.entity), last_updated_at: now },
    })),
  );
  await insert(
    'search',
    rows.flatMap(each => searchOf(each.entity).map(found => ({ entity_id: id(each), ...found }))),
  );
  await insert(
    'relations',
    rows.flatMap(each =>
      (each.entity.relations ?? []).map(({ type, targetRef }) => ({
        ...{ originating_entity_id: id(each), source_entity_ref: each.ref, type, target_entity_ref: targetRef },
      })),
    ),
  );
}

/** What is looked for here; the catalog itself writes a line for every field */
function searchOf({ kind, metadata, spec = {}, relations = [] }: Entity): object[] {
  const fields: Array<[key: string, value: unknown]> = [
    ['kind', kind],
    ['metadata.name', metadata.name],
    ['metadata.namespace', metadata.namespace],
    ['metadata.uid', metadata.uid],
    ['spec.type', spec.type],
    ...relations.map(({ type, targetRef }): [string, unknown] => [`relations.${type.toLowerCase()}`, targetRef]),
  ];
  return fields
    .filter(([, value]) => typeof value === 'string')
    .map(([key, value]) => ({ key, value: String(value).toLowerCase(), original_value: value }));
}
