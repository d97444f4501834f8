import { createHash } from 'node:crypto';
import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import {
  ANNOTATION_LOCATION,
  ANNOTATION_ORIGIN_LOCATION,
  parseEntityRef,
  stringifyEntityRef,
  type Entity,
} from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { isGuid, type CatalogGroupInput, type DirectoryInput, type DirectoryReport, type LocationRefs } from '../core';
import { GROUP_ID_ANNOTATION } from '../service/catalogChanges';
import type { EntraAccess } from '../service/entraAccess';
import type { DirectoryNumbers } from './directoryNumbers';

/** Begins every fingerprint; to be changed with what goes into one, so that two versions of this plugin can run side by side */
const FORMAT = '1:';
/** Most groups that are followed because entities name them that are not trusted: ten requests to Graph at each poll */
const MAX_DOUBTFUL = 500;
/** How often the catalog is read again when another replica has read it meanwhile */
const ATTEMPTS = 3;
/**
 * Where nothing has changed the catalog is read again so many times as long after a reading began as that took: 20,000 groups take
 * seconds. Somewhat less than a minute at most, so that the turn after a minute is not missed by the jitter of a timer
 */
const REST = 30;
const MAX_REST_MS = 55_000;

type Credentials = Awaited<ReturnType<AuthService['getOwnServiceCredentials']>>;

interface Options {
  entraAccess: EntraAccess;
  catalog: CatalogService;
  auth: AuthService;
  numbers: DirectoryNumbers;
  logger: LoggerService;
  /** Milliseconds since whenever, by a clock that nobody can set */
  clock?: () => number;
}

/**
 * Reads groups and owners from the catalog and hands them to the core when something has changed.
 *
 * It is told of changes by our module in the catalog, and asks from time to time all the same: for what was deleted, which
 * nobody tells, and where events get lost.
 */
export class CatalogDirectory {
  readonly #options: Options;
  readonly #clock: () => number;
  #running?: Promise<void>;
  #catchingUp?: Promise<void>;
  /** Fingerprint of what the core has */
  #last = '';
  #reported: ReadonlySet<string> = new Set();
  #refreshedAt?: number;
  #restsUntil = -Infinity;
  #error?: string;
  #report?: DirectoryReport;
  #groupIds?: ReadonlySet<string>;

  constructor(options: Options) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
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

  /**
   * What the catalog names as ids of Entra groups; `undefined` before the first success. Of names that are not believed there are only so
   * many ({@link MAX_DOUBTFUL}): what is not certainly somebody else's hangs on them, but anybody may write them
   */
  get groupIds(): ReadonlySet<string> | undefined {
    return this.#groupIds;
  }

  /** Reads the catalog; a reading under way is shared. A failure is logged once, and the directory stays as it was */
  refresh(): Promise<void> {
    this.#running ??= this.#options.entraAccess.telemetry
      .span('entra_access.directory.refresh', () => this.#refreshOnce())
      .then(
        () => (this.#error = undefined),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Reads the catalog from time to time: less often where that takes long and found nothing new the last time */
  async refreshInTurn(): Promise<void> {
    const began = this.#clock();
    if (began < this.#restsUntil) return;
    // One under way began earlier, maybe for a change that was told.
    const shared = this.#running !== undefined;
    const last = this.#last;
    await this.refresh();
    const quiet = !shared && this.#error === undefined && this.#last === last;
    const took = this.#clock() - began;
    this.#restsUntil = quiet ? began + Math.min(took * REST, MAX_REST_MS) : -Infinity;
  }

  /** All Group entities of the catalog as they are now. @throws what the catalog does */
  async groups(): Promise<CatalogGroupInput[]> {
    return this.#groups(await this.#options.auth.getOwnServiceCredentials());
  }

  /** Reads the catalog after a reading under way, which may have begun too early to see what has changed */
  async refreshAnew(): Promise<void> {
    await this.#running;
    await this.refresh();
    // The catalog may not have answered with it yet, or not at all: it is read in turn after this as well.
    this.#restsUntil = -Infinity;
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : 'failed';
    // Tried again every few seconds: the same words each time would only fill the log.
    if (reason !== this.#error) {
      this.#options.logger.warn(`the directory stays as it was, the catalog could not be read: ${reason}`);
    }
    this.#error = reason;
  }

  /**
   * Reads the catalog if another replica has a newer directory; never fails, as {@link refresh} does not. One under way is shared: while
   * the database does not answer, no more of them wait than one
   */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#catchUpOnce().finally(() => (this.#catchingUp = undefined));
    return this.#catchingUp;
  }

  async #catchUpOnce(): Promise<void> {
    const { entraAccess, numbers } = this.#options;
    const newest = await numbers.newest().catch(() => undefined);
    // Less than this replica has: a database from a backup, which numbers anew.
    if (!newest || newest.epoch === entraAccess.directory.catalog) return;
    // Members of groups have changed, and the catalog has not.
    if (newest.fingerprint === this.#last) entraAccess.directory.catalogIs(newest.epoch, newest.members);
    else await this.refresh();
  }

  async #refreshOnce(): Promise<void> {
    const { auth, entraAccess } = this.#options;
    const credentials = await auth.getOwnServiceCredentials();
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { directory, fingerprint, epoch, members } = await this.#numbered(credentials);
      if (epoch === undefined) continue;
      if (fingerprint !== this.#last) this.#handOver(directory);
      entraAccess.directory.catalogIs(epoch, members);
      this.#last = fingerprint;
      this.#refreshedAt = Date.now();
      return;
    }
    throw new Error('other replicas have read it at the same time, and something else each time');
  }

  /**
   * The directory with its number. Whoever asks for the newest number first and reads then has something at least as new:
   * so numbers ascend in the order of what was read, on whatever replica. `undefined` when another one was faster.
   */
  async #numbered(credentials: Credentials) {
    const { numbers } = this.#options;
    const newest = await numbers.newest();
    const [groups, owners] = await Promise.all([this.#groups(credentials), this.#owners(credentials)]);
    const directory: DirectoryInput = { groups, owners };
    const fingerprint = FORMAT + createHash('sha256').update(JSON.stringify(directory)).digest('hex');
    // What another version of this plugin has numbered cannot be compared; unchanged here, it is the same.
    const incomparable = newest.fingerprint !== null && !newest.fingerprint.startsWith(FORMAT);
    const same = newest.fingerprint === fingerprint || (incomparable && fingerprint === this.#last);
    const numbered = same ? newest : await numbers.advance(newest, fingerprint);
    return { directory, fingerprint, members: numbered?.members, epoch: numbered?.epoch };
  }

  #handOver(directory: DirectoryInput): void {
    const { entraAccess, logger } = this.#options;
    const outcome = entraAccess.core.setDirectory(directory);
    this.#groupIds = groupIdsOf(directory.groups, group => entraAccess.core.trustsLocation(group));
    if (!outcome.ok) throw new Error(`the catalog's groups could not be read: ${outcome.error}`);
    this.#report = outcome.value;
    logger.info(`${outcome.value.groups} Entra groups stand for ${outcome.value.owners} owners in the catalog`);
    const problems = new Set(outcome.value.problems.map(({ entityRef, message }) => `${entityRef}: ${message}`));
    for (const problem of problems) if (!this.#reported.has(problem)) logger.warn(problem);
    this.#reported = problems;
  }

  /** All Group entities: what one without an annotation nests counts, too */
  async #groups(credentials: Credentials) {
    const groups: CatalogGroupInput[] = [];
    const wanted = { filter: { kind: 'Group' }, fields: GROUP_FIELDS };
    const pages = this.#options.catalog.streamEntities(wanted, { credentials });
    for await (const page of pages) for (const entity of page) groups.push(catalogGroup(entity));
    return groups.sort((a, b) => (a.entityRef < b.entityRef ? -1 : 1));
  }

  async #owners(credentials: Credentials) {
    const facet = 'relations.ownedBy';
    const { facets } = await this.#options.catalog.getEntityFacets({ facets: [facet] }, { credentials });
    return (facets[facet] ?? []).map(({ value }) => value).sort();
  }
}

/** Ids of Entra groups that entities name, those of trusted locations before others. Beyond the number they are not followed: unknown */
export function groupIdsOf(
  groups: readonly CatalogGroupInput[],
  isTrusted: (group: CatalogGroupInput) => boolean,
): ReadonlySet<string> {
  const [sure, doubtful] = [new Set<string>(), new Set<string>()];
  for (const group of groups) {
    // Anybody may write an annotation: what is no id names no group, and would spoil a question to Microsoft Graph.
    if (!isGuid(group.groupId)) continue;
    (isTrusted(group) ? sure : doubtful).add(group.groupId.toLowerCase());
  }
  // The same ones on every replica, and the next time.
  const others = [...doubtful].filter(id => !sure.has(id)).sort();
  return new Set([...sure, ...others.slice(0, MAX_DOUBTFUL)]);
}

/** What of a Group entity bears on ownership */
export const GROUP_FIELDS = [
  'kind',
  'metadata.namespace',
  'metadata.name',
  'metadata.annotations',
  'spec.parent',
  'spec.children',
];

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
