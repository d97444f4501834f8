/** A catalog whose entities belong to teams, and somebody who is in some of these teams. */
import type { Entity } from '@backstage/catalog-model';
import { guid, seeded, type Random } from '../../random';

const SEED = 6;
const TEAMS = 20_000;

export interface OwnershipScene {
  entities: Entity[];
  /** Entity refs of all teams, and the Entra group that each stands for */
  teams: string[];
  groups: string[];
}

/** Whoever is in the first so many teams owns what these own */
export interface Owner {
  entityRef: string;
  objectId: string;
  /** `IS_ENTITY_OWNER` is asked with these */
  claims: string[];
  /** The Entra groups that the teams stand for */
  groups: string[];
}

export function ownershipScene(entityCount: number): OwnershipScene {
  const random = seeded(SEED);
  const teams = Array.from({ length: TEAMS }, (_, at) => teamRef(at));
  const groups = teams.map(() => guid(random));
  // The first team is in every list of claims, the last in none.
  const owner = (at: number) => (at < 2 ? teams.at(-at) : teams[Math.floor(random() * TEAMS)]) as string;
  return { entities: Array.from({ length: entityCount }, (_, at) => entity(at, owner(at), random)), teams, groups };
}

export function ownerIn({ teams, groups }: OwnershipScene, claims: number): Owner {
  return {
    entityRef: 'user:default/somebody',
    objectId: '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21',
    // Strings of their own: they come over the wire, as the entities come from the database.
    claims: fresh(teams.slice(0, claims)),
    groups: groups.slice(0, claims),
  };
}

/** The plainest reading */
export function isOwned({ relations = [] }: Entity, owners: ReadonlySet<string>): boolean {
  return relations.some(({ type, targetRef }) => type === 'ownedBy' && owners.has(targetRef));
}

const teamRef = (at: number) => `group:default/team-of-the-company-${String(at).padStart(5, '0')}`;

/** Of the size that a component with some annotations has, about 1.5 KB */
function entity(at: number, owner: string, random: Random): Entity {
  const name = `service-${at}`;
  const location = `url:https://git.example.com/company/${name}/catalog-info.yaml`;
  return fresh({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: {
      namespace: 'default',
      name,
      uid: guid(random),
      etag: guid(random),
      title: `Service ${at}`,
      description: 'Takes orders, keeps them, and tells others about them; see the documentation for how to run it.',
      labels: { env: 'production', tier: String(at % 4) },
      annotations: {
        'backstage.io/managed-by-location': location,
        'backstage.io/managed-by-origin-location': location,
        'backstage.io/source-location': location,
        'backstage.io/techdocs-ref': 'dir:.',
      },
      tags: ['java', 'orders', 'queue'],
    },
    spec: { type: 'service', lifecycle: 'production', owner, system: `system-${at % 100}` },
    relations: [
      { type: 'dependsOn', targetRef: `resource:default/database-${at % 500}` },
      { type: 'ownedBy', targetRef: owner },
      { type: 'partOf', targetRef: `system:default/system-${at % 100}` },
      { type: 'providesApi', targetRef: `api:default/${name}` },
    ],
  });
}

const fresh = <T>(value: T): T => JSON.parse(JSON.stringify(value));
