import { randomUUID } from 'node:crypto';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ServiceUnavailableError } from '@backstage/errors';
import type { AuditSettings, ChainPlace, EntraCore } from '../core';
import { coded } from '../service/coded';
import { errorWord } from '../service/errorWord';
import { within } from '../service/within';
import { columnsOf, recordText, sizeOf, type AuditRecord, type AuditRow } from './records';
import { ReadCounts } from './readCounts';
import { RefusedTokens } from './refusedTokens';
import type { AuditStore } from './store';

/** Most records that wait for the database; beyond that what has to be recorded is refused */
const CAPACITY = 10_000;
/** Most of what waits, in bytes: anybody may ask about a permission with a long name */
const CAPACITY_BYTES = 32 * 1024 * 1024;
/** Most records of one transaction */
const BATCH = 500;
/** How long an answer waits for its record; the database gets twice that before a batch is tried again */
const WAIT_MS = 5_000;
/** Between two tries of a batch */
const PAUSE_MS = 1_000;
/** How often what was counted is recorded */
const COUNT_MS = 60_000;
/** How long the end of the process waits for the last batch */
const CLOSE_MS = 5_000;

/** How recording goes; shown in `status` */
export interface AuditState {
  /** `off`: the plugin with the database is not installed */
  kind: 'off' | 'starting' | 'database';
  reads: AuditSettings['reads'];
  unavailable: AuditSettings['unavailable'];
  retentionDays?: number;
  /** The chain of this replica */
  chain: string;
  /** The last record in the database */
  recorded: number;
  /** Records that wait for it */
  waiting: number;
  /** Records that were given up since the start */
  lost: number;
  /** Why the last batch could not be written */
  error?: string;
}

interface Options {
  core: Pick<EntraCore, 'audit'>;
  logger: LoggerService;
  /** Whether a database will be attached */
  expected: boolean;
  /** Does something within a span of a trace */
  span?: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** For tests */
  clock?: () => number;
  capacity?: number;
  capacityBytes?: number;
  waitMs?: number;
  pauseMs?: number;
}

interface Waiting {
  record: AuditRecord;
  bytes: number;
  done?: () => void;
  failed?: (error: unknown) => void;
}

/**
 * Writes down what was answered, in a hash chain of this process: in batches, so that an answer waits for one commit that it
 * shares with all others of the moment.
 *
 * A batch is linked once and tried until the database has it. What waits meanwhile is bounded; what has to be recorded and
 * cannot be is refused, unless `audit.unavailable: answer` says otherwise.
 */
export class AuditTrail {
  readonly chain: string = randomUUID();
  readonly #options: Options;
  readonly #settings: AuditSettings;
  readonly #clock: () => number;
  readonly #reads: ReadCounts;
  readonly #refused: RefusedTokens;
  readonly #queue: Waiting[] = [];
  /** Of the queue and of the batch that is being written */
  #bytes = 0;
  #store?: AuditStore;
  #batch: { rows: AuditRow[]; waiting: Waiting[] } | undefined;
  /** The last link that was made, and the last that the database has */
  #linked: ChainPlace = { seq: 0, hash: '' };
  #head: ChainPlace = { seq: 0, hash: '' };
  #headAt = Infinity;
  #writing?: Promise<void>;
  #lost = 0;
  #untold = 0;
  #error?: string;
  #timer?: NodeJS.Timeout;
  #closed = false;
  #committed: (rows: readonly AuditRow[]) => void = () => undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#settings = options.core.audit.settings;
    this.#reads = new ReadCounts(this.#clock);
    this.#refused = new RefusedTokens(this.#clock);
  }

  /** Whether anything is recorded */
  get on(): boolean {
    return this.#options.expected || this.#store !== undefined;
  }

  /** The last link that the database has taken */
  get head(): ChainPlace {
    return this.#head;
  }

  /** Time of that record in milliseconds since the epoch; `Infinity` before the first */
  get headAt(): number {
    return this.#headAt;
  }

  /** How recording goes */
  get state(): AuditState {
    return {
      kind: this.#store ? 'database' : this.on ? 'starting' : 'off',
      ...this.#settings,
      chain: this.chain,
      recorded: this.#head.seq,
      waiting: this.#queue.length + (this.#batch?.waiting.length ?? 0),
      lost: this.#lost,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  /** Begins to write; the first record says how far all other chains reached by then, so that the cut tail of one is found */
  async attach(store: AuditStore, committed?: (rows: readonly AuditRow[]) => void): Promise<void> {
    const heads: string[] = [];
    for (const { chain, last } of await store.chains(64)) {
      heads.push(`${chain} ${last} ${(await store.hashAt(chain, last)) ?? ''}`);
    }
    this.#first({ at: this.#clock(), event: 'start', heads });
    if (committed) this.#committed = committed;
    this.#store = store;
    this.#timer = setInterval(() => this.#count(), COUNT_MS);
    this.#timer.unref();
    this.#write();
  }

  /** Writes down what waits, for as long as that takes a few seconds at most */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#count();
    this.#closed = true;
    await within(CLOSE_MS, this.#writing ?? Promise.resolve()).catch(() => undefined);
  }

  /**
   * Records what must not be answered without: settles once it may be answered; `undefined` when nothing is recorded.
   * @throws ServiceUnavailableError, as a rejection, when it cannot be recorded in time
   */
  require(record: Omit<AuditRecord, 'at'>): Promise<void> | undefined {
    if (!this.on) return undefined;
    return this.#settings.unavailable === 'answer'
      ? this.#required(record).catch(() => undefined)
      : this.#required(record);
  }

  /**
   * Records what must not happen without, whatever becomes of answers: settles once the database has it.
   * @throws ServiceUnavailableError, as a rejection, when it cannot be recorded in time, or nothing is recorded
   */
  async commit(record: Omit<AuditRecord, 'at'>): Promise<void> {
    if (!this.on) throw unavailable();
    await this.#required(record);
  }

  /**
   * A refused token of which there were many: see {@link RefusedTokens.count}. Any other is to be recorded by itself; so is each while
   * nothing can be written, as whoever is refused must not be answered on the word of a count then.
   */
  countRefused(
    record: Omit<AuditRecord, 'at'>,
    newReference: () => string,
  ): { reference: string; count: number } | undefined {
    if (record.event !== 'token-refused' || !this.#store || this.#error !== undefined || this.#closed) return undefined;
    return this.#refused.count(record, newReference);
  }

  /** An answer about reading: recorded or counted as configured, and nothing waits for it */
  read(permission: string, record: () => Omit<AuditRecord, 'at'>): void {
    if (!this.on || this.#settings.reads === 'none') return;
    if (this.#settings.reads === 'count') this.#reads.add(permission);
    else this.#add({ ...record(), at: this.#clock() });
  }

  async #required(record: Omit<AuditRecord, 'at'>): Promise<void> {
    const recorded = new Promise<void>((done, failed) => {
      if (!this.#add({ ...record, at: this.#clock() }, { done, failed })) failed(unavailable());
    });
    // While the database is known to be away nobody waits for it; what is recorded by then is written down later.
    const wait = this.#error === undefined ? (this.#options.waitMs ?? WAIT_MS) : 0;
    await within(wait, recorded).catch(() => {
      throw unavailable();
    });
  }

  /** `false` when there is no room */
  #add(record: AuditRecord, waiter: Pick<Waiting, 'done' | 'failed'> = {}): boolean {
    const { capacity = CAPACITY, capacityBytes = CAPACITY_BYTES } = this.#options;
    const bytes = sizeOf(record);
    if (this.#closed || this.#queue.length >= capacity || this.#bytes + bytes > capacityBytes) {
      this.#lose(record);
      return false;
    }
    this.#queue.push({ record, bytes, ...waiter });
    this.#bytes += bytes;
    this.#write();
    return true;
  }

  /** Before all that waits, and whatever waits */
  #first(record: AuditRecord): void {
    this.#queue.unshift({ record, bytes: 0 });
  }

  /** That so many tokens were refused is told even where the record of it is not */
  #lose({ event, count = 1 }: AuditRecord): void {
    const lost = event === 'token-refused' ? count : 1;
    this.#lost += lost;
    this.#untold += lost;
  }

  #count(): void {
    for (const counted of [...this.#reads.take(), ...this.#refused.take()])
      this.#add({ ...counted, at: this.#clock() });
  }

  #write(): void {
    if (!this.#store || this.#writing) return;
    // Whatever is asked in the same moment comes into the same batch.
    this.#writing = new Promise(resolve => setImmediate(resolve))
      .then(() => this.#writeAll())
      .finally(() => {
        this.#writing = undefined;
        // At the end of the process what could not be written stays unwritten: trying without a pause would never end.
        if (this.#hasMore() && !this.#closed) this.#write();
      });
  }

  async #writeAll(): Promise<void> {
    while (this.#batch !== undefined || this.#hasMore()) {
      this.#batch ??= this.#nextBatch();
      if (this.#batch && (await this.#written(this.#batch))) {
        const { rows, waiting } = this.#batch;
        this.#batch = undefined;
        const last = rows.at(-1);
        if (last) [this.#head, this.#headAt] = [{ seq: last.seq, hash: last.hash }, last.at];
        for (const { bytes, done } of waiting) {
          this.#bytes -= bytes;
          done?.();
        }
        this.#committed(rows);
      } else {
        if (this.#closed) return;
        await new Promise(resolve => setTimeout(resolve, this.#options.pauseMs ?? PAUSE_MS).unref());
      }
    }
  }

  /** Records, or that some were lost */
  #hasMore(): boolean {
    return this.#queue.length > 0 || this.#untold > 0;
  }

  /** Links what waits; `undefined` while the core is away */
  #nextBatch(): { rows: AuditRow[]; waiting: Waiting[] } | undefined {
    if (this.#untold > 0) {
      this.#first({ at: this.#clock(), event: 'lost', count: this.#untold });
      this.#untold = 0;
    }
    const [rows, waiting]: [AuditRow[], Waiting[]] = [[], []];
    for (let next = this.#queue[0]; next !== undefined && rows.length < BATCH; next = this.#queue[0]) {
      let row: AuditRow | undefined;
      try {
        row = this.#link(next.record);
      } catch (error) {
        this.#options.logger.error('a record of the audit trail is not one, and what it is about is refused');
        next.failed?.(error);
        this.#queue.shift();
        this.#bytes -= next.bytes;
        this.#lose(next.record);
        continue;
      }
      if (!row) break;
      this.#queue.shift();
      rows.push(row);
      waiting.push(next);
    }
    return rows.length > 0 || this.#queue.length === 0 ? { rows, waiting } : undefined;
  }

  #link(record: AuditRecord): AuditRow | undefined {
    const { chain } = this;
    const seq = this.#linked.seq + 1;
    const link = this.#options.core.audit.link(this.#linked.hash, recordText({ ...record, chain, seq }));
    if (!link) return undefined;
    this.#linked = { seq, hash: link.hash };
    return { chain, seq, ...link, ...columnsOf(link.record) };
  }

  async #written({ rows }: { rows: AuditRow[] }): Promise<boolean> {
    try {
      const { span = (_, work) => work() } = this.#options;
      const append = () => this.#store?.append(rows) ?? Promise.reject(new Error('no database'));
      await span('entra_access.audit.write', () => within(2 * WAIT_MS, append()));
    } catch (error) {
      const reason = errorWord(error, 'failed');
      if (reason !== this.#error)
        this.#options.logger.error(`the audit trail cannot be written (${reason}): ${this.#then()}`);
      this.#error = reason;
      return false;
    }
    if (this.#error !== undefined) this.#options.logger.info('the audit trail is written again');
    this.#error = undefined;
    return true;
  }

  #then(): string {
    return this.#settings.unavailable === 'refuse'
      ? 'what has to be recorded is refused until it can be'
      : 'answers are given all the same, and recorded once it can be';
  }
}

function unavailable(): Error {
  const reason = 'what has to be recorded cannot be recorded at the moment, and so it is refused; try again';
  return coded('audit_unavailable', new ServiceUnavailableError(reason));
}
