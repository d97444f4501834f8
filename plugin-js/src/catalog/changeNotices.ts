import { createHash } from 'node:crypto';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ANNOTATION_LOCATION, ANNOTATION_ORIGIN_LOCATION, type Entity } from '@backstage/catalog-model';
import type {
  CatalogProcessor,
  CatalogProcessorCache,
  CatalogProcessorEmit,
  LocationSpec,
} from '@backstage/plugin-catalog-node';
import type { EventsService } from '@backstage/plugin-events-node';
import { CATALOG_CHANGED, GROUP_ID_ANNOTATION } from '../service/catalogChanges';

/**
 * What was processed is visible to readers once it is stitched, which the catalog does within a second or two. A whole catalog
 * that comes in is one notice in as many seconds.
 */
const DELAY_MS = 2_000;

const REMEMBERED = 'ownership';

/**
 * Publishes {@link CATALOG_CHANGED} when what an entity says of groups or owners has changed since it was last processed: the
 * catalog (4.0.0) itself publishes events about errors and conflicts only. It sees no deletions.
 */
export class ChangeNotices implements CatalogProcessor {
  readonly #events: EventsService;
  readonly #logger: LoggerService;
  #timer?: NodeJS.Timeout;

  constructor(options: { events: EventsService; logger: LoggerService }) {
    this.#events = options.events;
    this.#logger = options.logger;
  }

  getProcessorName(): string {
    return 'EntraAccessChangeNotices';
  }

  async postProcessEntity(
    entity: Entity,
    _location: LocationSpec,
    _emit: CatalogProcessorEmit,
    cache: CatalogProcessorCache,
  ): Promise<Entity> {
    const digest = digestOf(entity);
    if ((await cache.get(REMEMBERED)) !== digest) {
      await cache.set(REMEMBERED, digest);
      this.#soon();
    }
    return entity;
  }

  /** Nothing is published any more */
  close(): void {
    clearTimeout(this.#timer);
  }

  #soon(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#events.publish({ topic: CATALOG_CHANGED, eventPayload: {} }).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'failed';
        this.#logger.warn(`a change of groups is seen later, at the next periodic look: ${reason}`);
      });
    }, DELAY_MS);
    this.#timer.unref();
  }
}

/** Of what bears on ownership: the owner of anything, and of a group its id, its place in the tree and where it comes from */
function digestOf({ kind, metadata: { annotations }, spec }: Entity): string {
  const { owner, parent, children } = (spec ?? {}) as Record<string, unknown>;
  const names = [GROUP_ID_ANNOTATION, ANNOTATION_LOCATION, ANNOTATION_ORIGIN_LOCATION];
  const group = kind.toLowerCase() === 'group' ? [parent, children, names.map(name => annotations?.[name])] : [];
  return createHash('sha256')
    .update(JSON.stringify([owner, group]))
    .digest('base64url');
}
