import type { AuditRecord } from './records';

type What = Omit<AuditRecord, 'at'>;

/** Refusals of one kind that are recorded each by itself between two times that counts are recorded, which is every minute */
const FULL = 100;
/** Most kinds that are told apart by whose token it was; what comes beyond is counted by code and issuer, of which there are few */
const KINDS = 1_000;

interface Kind {
  what: What;
  /** How many were recorded by themselves */
  full: number;
  /** Of those that are counted */
  count: number;
  since: number;
  reference: string;
}

/**
 * Keeps a flood of bad tokens from filling the database: what comes in numbers is counted, and all that was counted of one kind is one
 * record, under the one reference that all of them were told.
 */
export class RefusedTokens {
  readonly #clock: () => number;
  #kinds = new Map<string, Kind>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** `undefined` for one to be recorded by itself; otherwise the reference of the record that will count it, and how many it counts by now */
  count(record: What, newReference: () => string): { reference: string; count: number } | undefined {
    const kind = this.#kindOf(record);
    if (kind.full < FULL) {
      kind.full += 1;
      return undefined;
    }
    if (kind.count === 0) {
      const reasons = [...(record.reasons ?? []), `counted: more than ${FULL} of the kind came within a minute`];
      [kind.what, kind.since, kind.reference] = [{ ...kind.what, reasons }, this.#clock(), newReference()];
    }
    kind.count += 1;
    return { reference: kind.reference, count: kind.count };
  }

  /** What was counted, and counting begins anew */
  take(): What[] {
    const kinds = this.#kinds;
    this.#kinds = new Map();
    return [...kinds.values()].flatMap(({ what, count, since, reference }) =>
      count > 0 ? [{ ...what, count, since, reference }] : [],
    );
  }

  #kindOf({ code, issuer, kind, identity, client, agent, principal, job }: What): Kind {
    const anybody: What = { event: 'token-refused', result: 'DENY', code, issuer };
    const own: What = { ...anybody, kind, identity, client, agent, principal, job: pipelineOf(job) };
    const known = this.#kinds.get(JSON.stringify(own));
    if (known) return known;
    const what = this.#kinds.size < KINDS ? own : anybody;
    const key = JSON.stringify(what);
    const made = this.#kinds.get(key) ?? { what, full: 0, count: 0, since: 0, reference: '' };
    this.#kinds.set(key, made);
    return made;
  }
}

/** Which pipeline it is of, by what was trusted; the rest is of one job, and the next one of the same pipeline is another */
function pipelineOf(job: What['job']): What['job'] {
  // In one order, as the kind is known by the text of it.
  const isOfPipeline = ([name]: [string, unknown]) => name === 'trust' || name === 'subject';
  return job && Object.fromEntries(Object.entries(job).filter(isOfPipeline).sort());
}
