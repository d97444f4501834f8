import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import { parseEntityRef, stringifyEntityRef, type Entity } from '@backstage/catalog-model';
import { ConflictError, ServiceUnavailableError } from '@backstage/errors';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { locationsOf } from '../access/directory';
import { pipelineRef, type Principal } from '../core';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import { within } from '../service/within';

/** Backstage's own annotation, written by the msgraph provider or by hand */
export const USER_ID_ANNOTATION = 'graph.microsoft.com/user-id';

/** How long the catalog may take */
const ANSWER_MS = 5_000;
/** Most users that one look-up reads: one or two in an honest catalog */
const MAX_USERS = 500;
/** Most entities reported, each once */
const MAX_REPORTED = 1_000;

/**
 * The entity for a principal that has no User entity; made of ids, which never change and are never reused.
 *
 * An agent acting for a person carries that person's object id and must never be taken for them, nor they for it: it
 * lives in a namespace of its own. A pipeline is no user at all: it has a kind of its own, which no User entity has.
 */
export function entityRefOf(principal: Principal, template: string): string {
  const { kind, tenantId, objectId, actor } = principal;
  if (kind === 'pipeline') return pipelineRef(principal);
  if (actor) return `user:agent-${actor.clientId}/${objectId}`;
  return template.replaceAll('{oid}', objectId).replaceAll('{tid}', tenantId);
}

interface Options {
  entraAccess: EntraAccess;
  catalog: Pick<CatalogService, 'getEntities'>;
  auth: Pick<AuthService, 'getOwnServiceCredentials'>;
  logger: LoggerService;
}

interface User {
  entityRef: string;
  /** What the annotation says, in lower case */
  userId?: string;
}

/**
 * Which entity a principal is in Backstage: the catalog's User with its object id, or one made of its ids.
 *
 * The ref must be the same at every sign-in and never that of somebody else. So the catalog is asked each time, an answer
 * that does not come refuses the sign-in, and so does every doubt.
 */
export class Identities {
  readonly #options: Options;
  readonly #reported = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws ConflictError when the ref is or may be that of another; ServiceUnavailableError without the catalog */
  async entityRefOf(principal: Principal): Promise<string> {
    const { entityRef, catalogTenants } = this.#options.entraAccess.core.identity;
    const made = entityRefOf(principal, entityRef);
    // Without users of the catalog every ref is made of ids, and no two are the same; nor is a pipeline any User.
    if (catalogTenants.length === 0 || principal.kind === 'pipeline') return made;
    // A guest has an object id of its own in this tenant, and finds no other User by it than its own.
    const lookedUp = principal.kind === 'user' && catalogTenants.includes(principal.tenantId);
    const users = await this.#trustedUsers(made, lookedUp ? principal.objectId : undefined);

    const own = lookedUp ? users.filter(({ userId }) => userId === principal.objectId) : [];
    const [found, another] = own.map(user => user.entityRef);
    if (found !== undefined && another !== undefined) throw ambiguous(found, another);
    if (found !== undefined) return found;
    const holder = users.find(user => user.entityRef === made && user.userId !== undefined);
    if (holder) throw taken(made);
    return made;
  }

  /** Users under a ref or with an object id, from places that may say whose an object id is */
  async #trustedUsers(entityRef: string, objectId?: string): Promise<User[]> {
    const { entraAccess } = this.#options;
    const found = await this.#ask(entityRef, objectId);
    if (found.length >= MAX_USERS) throw crowded();
    return found.flatMap(entity => {
      const id: unknown = entity.metadata.annotations?.[USER_ID_ANNOTATION];
      const userId = id === undefined ? undefined : String(id).toLowerCase();
      const user = { entityRef: stringifyEntityRef(entity), userId };
      if (entraAccess.core.trustsLocation(locationsOf(entity))) return [user];
      if (user.userId !== undefined) this.#report(user.entityRef);
      return [];
    });
  }

  async #ask(entityRef: string, objectId?: string): Promise<Entity[]> {
    const { catalog, auth } = this.#options;
    const { namespace, name } = parseEntityRef(entityRef);
    const filter: Array<Record<string, string>> = [
      { kind: 'User', 'metadata.namespace': namespace, 'metadata.name': name },
    ];
    if (objectId !== undefined) filter.push({ kind: 'User', [`metadata.annotations.${USER_ID_ANNOTATION}`]: objectId });
    const fields = ['kind', 'metadata.namespace', 'metadata.name', 'metadata.annotations'];
    try {
      const asked = auth
        .getOwnServiceCredentials()
        .then(credentials => catalog.getEntities({ filter, fields, limit: MAX_USERS }, { credentials }));
      return (await within(ANSWER_MS, asked)).items;
    } catch {
      throw coded(
        'identity_unavailable',
        new ServiceUnavailableError('the catalog does not answer, and with it who is who in Backstage; try again'),
      );
    }
  }

  #report(entityRef: string): void {
    if (this.#reported.has(entityRef) || this.#reported.size >= MAX_REPORTED) return;
    this.#reported.add(entityRef);
    this.#options.logger.warn(
      `${entityRef}: the annotation ${USER_ID_ANNOTATION} is ignored, because the entity stands where anybody may write ` +
        '(if its location may say who is who, list it in `entraAccess.catalog.trustedLocations`)',
    );
  }
}

function ambiguous(one: string, other: string): Error {
  return coded(
    'principal_conflict',
    new ConflictError(`${one} and ${other} have one object id; remove ${USER_ID_ANNOTATION} from one of them`),
  );
}

function taken(entityRef: string): Error {
  return coded(
    'principal_conflict',
    new ConflictError(
      `${entityRef} is the User of another object id in the catalog; rename that entity, or change entraAccess.identity.entityRef`,
    ),
  );
}

function crowded(): Error {
  return coded(
    'identity_unavailable',
    new ServiceUnavailableError(`${MAX_USERS} users of the catalog or more have one object id; remove those that lie`),
  );
}
