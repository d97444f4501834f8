import { resolve } from 'node:path';
import { catalogGroup } from '../access/directory';
import { entityRefOf, USER_ID_ANNOTATION } from '../auth/identity';
import { ConfigurationError, EntraCore, type Principal, type PrincipalHandle } from '../core';
import { setPolicy } from '../service/policyFile';
import { parsePolicy } from '../service/policyText';
import { readBackendConfiguration } from './backendConfiguration';
import { readText } from './documents';
import { readEntities, type WrittenEntity } from './entities';
import type { DescribedPrincipal } from './principals';

/** What is asked about, by the names of files */
export interface WorldFiles {
  policy: string;
  /** The backend's configuration; without it the tenants of the principals are trusted, and nothing else is set */
  config: readonly string[];
  /** Groups, users and entities; `undefined`: the catalog is not known, which is not the same as empty */
  catalog?: readonly string[];
}

/** Somebody signed in */
export interface Caller {
  handle: PrincipalHandle;
  entityRef: string;
  kind: Principal['kind'];
  objectId: string;
  tenantId: string;
}

const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** For which a described principal counts as signed in: what is asked is what a live sign-in may do */
const LIVE_SECONDS = 3600;
/** Nobody's */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** A policy with a core that decides by it, as in a backend with these files: the same core, with nobody else in it */
export class World {
  readonly core: EntraCore;
  /** Everything in the catalog's files, by ref */
  readonly entities: ReadonlyMap<string, WrittenEntity>;
  readonly catalogKnown: boolean;
  /** What in the catalog's files does not count, and why */
  readonly problems: readonly string[];
  /** Seconds since the epoch; stands still */
  readonly now: number;
  readonly #configured: boolean;

  private constructor(core: EntraCore, catalog: WrittenEntity[] | undefined, now: number, configured: boolean) {
    this.core = core;
    this.entities = byRef(catalog ?? []);
    this.catalogKnown = catalog !== undefined;
    this.now = now;
    this.#configured = configured;
    this.problems = catalog ? this.#readDirectory(catalog) : [];
  }

  /** @throws ConfigurationError with the first mistake in any of the files */
  static async open(files: WorldFiles, principals: readonly DescribedPrincipal[], now: number): Promise<World> {
    const policy = parsePolicy(readText(files.policy), files.policy);
    const configured = files.config.length > 0;
    const configuration = configured ? await readBackendConfiguration(files.config) : configurationFor(principals);
    const entities = await Promise.all((files.catalog ?? []).map(readEntities));
    const core = new EntraCore({
      configuration,
      // Whoever names a file on the command line, or in a test, vouches for it.
      staticLocations: (files.catalog ?? []).map(locationOf),
      logger: { error() {}, info() {} },
      clock: () => now * 1000,
    });
    try {
      setPolicy(core, policy, { anyPipeline: !configured });
      return new World(core, files.catalog && entities.flat(), now, configured);
    } catch (error) {
      core.close();
      throw error;
    }
  }

  /** Signs somebody in. @throws ConfigurationError when nobody could be like that */
  signIn(described: DescribedPrincipal): Caller {
    const { record, place } = described;
    // Read by the core first: what follows relies on its ids.
    const made = this.core.takeIn(record, 'user:default/nobody', this.now + 1);
    if (!made.ok) throw described.located(made.error);
    const principal = this.core.describe(made.value)!;
    this.core.release(made.value);
    const { kind, tenantId, objectId } = principal;
    if (this.#configured && kind !== 'pipeline' && !this.core.issuers.some(issuer => issuer.tenantId === tenantId)) {
      throw place.at('tenantId').mistake('is not one of `entraAccess.tenants`, so nobody from there is let in');
    }
    const entityRef = described.entityRef ?? this.#entityRefOf(principal, described);
    const taken = this.core.takeIn(record, entityRef, this.now + LIVE_SECONDS);
    if (!taken.ok) throw described.located(taken.error);
    return { handle: taken.value, entityRef, kind, tenantId, objectId };
  }

  close(): void {
    this.core.close();
  }

  /** As at a sign-in (`auth/identity.ts`): the catalog's User with the object id, otherwise a ref made of ids */
  #entityRefOf(principal: Principal, { place }: DescribedPrincipal): string {
    const { entityRef: template, catalogTenants } = this.core.identity;
    const made = entityRefOf(principal, template);
    const lookedUp = principal.kind === 'user' && catalogTenants.includes(principal.tenantId);
    if (!lookedUp) return made;
    const own = [...this.entities.values()].filter(({ entity }) => userIdOf(entity) === principal.objectId);
    if (own.length > 1) {
      const refs = own.map(({ entityRef }) => entityRef).join(' and ');
      throw place.mistake(
        `${refs} have its object id, so the sign-in is refused`,
        `remove ${USER_ID_ANNOTATION} from one`,
      );
    }
    return own[0]?.entityRef ?? made;
  }

  #readDirectory(catalog: WrittenEntity[]): string[] {
    const groups = catalog
      .filter(({ entity }) => entity.kind === 'Group')
      .map(({ entity, file }) => ({ ...catalogGroup(entity), ...locationOf(file) }));
    const outcome = this.core.setDirectory({ groups });
    if (!outcome.ok) throw new ConfigurationError({ path: 'catalog', message: outcome.error });
    const followed = catalog.filter(({ entity }) => entity.kind === 'Location');
    return [
      ...outcome.value.problems.map(({ entityRef, message }) => `${entityRef}: ${message}`),
      ...followed.map(
        ({ entityRef }) => `${entityRef}: what a Location points to is not read; name those files as well`,
      ),
    ];
  }
}

/** As Backstage would annotate what it reads from there, over anything the file says */
export function locationOf(file: string): { location: string; origin: string } {
  const location = `file:${resolve(file)}`;
  return { location, origin: location };
}

function byRef(entities: WrittenEntity[]): Map<string, WrittenEntity> {
  const all = new Map<string, WrittenEntity>();
  for (const entity of entities) {
    const earlier = all.get(entity.entityRef);
    if (earlier) {
      const elsewhere = earlier.file === entity.file ? '' : ` and in ${earlier.file}`;
      throw entity.place.mistake(
        `${entity.entityRef} is there twice${elsewhere}`,
        'the catalog would take one of them',
      );
    }
    all.set(entity.entityRef, entity);
  }
  return all;
}

function userIdOf({ kind, metadata }: WrittenEntity['entity']): string | undefined {
  const id: unknown = kind === 'User' ? metadata.annotations?.[USER_ID_ANNOTATION] : undefined;
  return id === undefined ? undefined : String(id).toLowerCase();
}

/** What a backend of these principals' tenants would say that sets nothing else */
function configurationFor(principals: readonly DescribedPrincipal[]): string {
  const named = principals.map(({ tenantId = '' }) => tenantId).filter(tenantId => TENANT.test(tenantId));
  const tenants = [...new Set(named.length > 0 ? named : [NO_TENANT])];
  return JSON.stringify({ tenants: tenants.map(tenantId => ({ tenantId, audiences: ['policy'] })), policy: {} });
}
