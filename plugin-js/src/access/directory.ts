import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import {
  ANNOTATION_LOCATION,
  ANNOTATION_ORIGIN_LOCATION,
  parseEntityRef,
  stringifyEntityRef,
  type Entity,
} from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { CatalogGroupInput, DirectoryInput, DirectoryReport, LocationRefs } from '../core';
import type { EntraAccess } from '../service/entraAccess';

/** Backstage's own annotation, written by the msgraph provider or by hand */
export const GROUP_ID_ANNOTATION = 'graph.microsoft.com/group-id';

/**
 * Reads groups and owners from the catalog and hands them to the core when something has changed.
 *
 * It asks from time to time: the catalog (4.0.0) publishes events about errors and conflicts only, none when an entity
 * has changed.
 */
export class CatalogDirectory {
  readonly #options: { entraAccess: EntraAccess; catalog: CatalogService; auth: AuthService; logger: LoggerService };
  #running?: Promise<void>;
  #last = '';
  #reported: ReadonlySet<string> = new Set();
  #refreshedAt?: number;
  #error?: string;
  #report?: DirectoryReport;

  constructor(options: {
    entraAccess: EntraAccess;
    catalog: CatalogService;
    auth: AuthService;
    logger: LoggerService;
  }) {
    this.#options = options;
  }

  /** Milliseconds since the epoch; `undefined` before the first success */
  get refreshedAt(): number | undefined {
    return this.#refreshedAt;
  }

  /** Why the last reading failed; the directory is the one before */
  get error(): string | undefined {
    return this.#error;
  }

  /** What the core made of it */
  get report(): DirectoryReport | undefined {
    return this.#report;
  }

  /** Reads the catalog; a reading under way is shared. A failure is logged once, and the directory stays as it was */
  refresh(): Promise<void> {
    this.#running ??= this.#refreshOnce()
      .then(
        () => (this.#error = undefined),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : 'failed';
    // Tried again every few seconds: the same words each time would only fill the log.
    if (reason !== this.#error) {
      this.#options.logger.warn(`the directory stays as it was, the catalog could not be read: ${reason}`);
    }
    this.#error = reason;
  }

  async #refreshOnce(): Promise<void> {
    const { auth } = this.#options;
    const credentials = await auth.getOwnServiceCredentials();
    const [groups, owners] = await Promise.all([this.#groups(credentials), this.#owners(credentials)]);
    const directory: DirectoryInput = { groups, owners };
    const json = JSON.stringify(directory);
    if (json !== this.#last) this.#handOver(directory);
    this.#last = json;
    this.#refreshedAt = Date.now();
  }

  #handOver(directory: DirectoryInput): void {
    const { entraAccess, logger } = this.#options;
    const outcome = entraAccess.core.setDirectory(directory);
    if (!outcome.ok) throw new Error(`the catalog's groups could not be read: ${outcome.error}`);
    this.#report = outcome.value;
    logger.info(`${outcome.value.groups} Entra groups stand for ${outcome.value.owners} owners in the catalog`);
    const problems = new Set(outcome.value.problems.map(({ entityRef, message }) => `${entityRef}: ${message}`));
    for (const problem of problems) if (!this.#reported.has(problem)) logger.warn(problem);
    this.#reported = problems;
  }

  /** All Group entities: what one without an annotation nests counts, too */
  async #groups(credentials: Awaited<ReturnType<AuthService['getOwnServiceCredentials']>>) {
    const groups: CatalogGroupInput[] = [];
    const fields = [
      'kind',
      'metadata.namespace',
      'metadata.name',
      'metadata.annotations',
      'spec.parent',
      'spec.children',
    ];
    const pages = this.#options.catalog.streamEntities({ filter: { kind: 'Group' }, fields }, { credentials });
    for await (const page of pages) for (const entity of page) groups.push(catalogGroup(entity));
    return groups.sort((a, b) => (a.entityRef < b.entityRef ? -1 : 1));
  }

  async #owners(credentials: Awaited<ReturnType<AuthService['getOwnServiceCredentials']>>) {
    const facet = 'relations.ownedBy';
    const { facets } = await this.#options.catalog.getEntityFacets({ facets: [facet] }, { credentials });
    return (facets[facet] ?? []).map(({ value }) => value).sort();
  }
}

/** What bears on ownership, the core judges it */
export function catalogGroup(entity: Entity): CatalogGroupInput {
  const { parent, children } = (entity.spec ?? {}) as { parent?: unknown; children?: unknown };
  const defaults = { defaultKind: 'Group', defaultNamespace: entity.metadata.namespace };
  const full = (ref: unknown) => fullRef(ref, defaults);
  return {
    entityRef: stringifyEntityRef(entity),
    groupId: entity.metadata.annotations?.[GROUP_ID_ANNOTATION],
    ...(parent === undefined ? {} : { parent: full(parent) }),
    ...(Array.isArray(children) && children.length > 0 ? { children: children.map(full) } : {}),
    ...locationsOf(entity),
  };
}

/** As Backstage reads a reference; what is none is handed on as it is, to be reported */
function fullRef(ref: unknown, defaults: { defaultKind: string; defaultNamespace?: string }): string {
  try {
    return stringifyEntityRef(parseEntityRef(ref as string, defaults));
  } catch {
    return String(ref);
  }
}

/** Where Backstage says that an entity comes from; what is no text is not there */
export function locationsOf({ metadata: { annotations } }: Pick<Entity, 'metadata'>): LocationRefs {
  const text = (name: string) => (typeof annotations?.[name] === 'string' ? annotations[name] : undefined);
  return { location: text(ANNOTATION_LOCATION), origin: text(ANNOTATION_ORIGIN_LOCATION) };
}
