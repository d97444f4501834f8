import type { CoreLife } from './life';

/** The section `entraAccess.audit` */
export interface AuditSettings {
  /** Which answers about reading are recorded beside refusals */
  reads: 'none' | 'count' | 'all';
  /** What becomes of an answer that has to be recorded and cannot be */
  unavailable: 'refuse' | 'answer';
  /** Days for which records are kept; absent: for ever */
  retentionDays?: number;
}

/** A record as it is kept: its one form, and its hash in hexadecimal digits */
export interface AuditLink {
  record: string;
  hash: string;
}

/** What is wrong with a link: see `Finding` of the core */
export type AuditFinding = 'missing' | 'misplaced' | 'altered' | 'unreadable';

const READS = ['none', 'count', 'all'] as const;
const FINDINGS = [undefined, 'missing', 'misplaced', 'altered', 'unreadable'] as const;
const HASH_LENGTH = 64;

/** Where to look at the next link of a chain: number and hash of the last one; `{seq: 0, hash: ''}` at the beginning */
export interface ChainPlace {
  seq: number;
  hash: string;
}

/** The hash chains of the audit trail */
export class AuditChain {
  readonly settings: AuditSettings;
  readonly #life: CoreLife;

  constructor(life: CoreLife) {
    this.#life = life;
    this.settings = settingsOf(life.ask(({ core }) => core.audit(), 0));
  }

  /**
   * The link of a record, given as JSON text, behind one with the hash `before` (empty for the first).
   * @returns `undefined` while the core is away
   * @throws TypeError naming the field that is wrong
   */
  link(before: string, record: string): AuditLink | undefined {
    const linked = this.#life.ask(({ core }) => core.audit_link(before, record), undefined);
    if (linked === undefined) return undefined;
    const link = { hash: linked.slice(0, HASH_LENGTH), record: linked.slice(HASH_LENGTH) };
    if (link.record === '') throw new TypeError(`not a record of the audit trail: ${linked}`);
    return link;
  }

  /**
   * What is wrong with the link that stands under `seq` behind `after`; `undefined` when it fits.
   * @throws Error while the core is away: nothing is proved then
   */
  check(chain: string, after: ChainPlace, seq: number, { record, hash }: AuditLink): AuditFinding | undefined {
    // The core would take it for another number.
    if (seq !== seq >>> 0) return 'misplaced';
    const away = FINDINGS.length;
    const number = this.#life.ask(
      ({ core }) => core.audit_check(chain, after.seq, after.hash, seq, record, hash),
      away,
    );
    if (number >= away) throw new Error('the core is being restarted; try again in a second');
    return FINDINGS[number];
  }
}

function settingsOf(number: number): AuditSettings {
  const days = number >>> 3;
  return {
    reads: READS[number & 3] ?? 'all',
    unavailable: (number & 4) === 0 ? 'refuse' : 'answer',
    ...(days > 0 ? { retentionDays: days } : {}),
  };
}
