import type { AuditorService } from '@backstage/backend-plugin-api';
import type { AuditRecord, AuditRow } from './records';
import type { AuditTrail } from './trail';

/** Which records Backstage's auditor hears of, each as one event of severity `medium`: refusals, and what was lost or removed; of severity `high`: what a break-glass entry allowed */
const EVENT_IDS: Readonly<Record<string, string>> = {
  'sign-in': 'sign-in',
  'token-refused': 'token-refuse',
  decision: 'permission-evaluate',
  lost: 'audit-lose',
  checkpoint: 'audit-prune',
};
const ALWAYS: ReadonlySet<string> = new Set(['lost', 'checkpoint']);

/** Backstage's auditor as a second place that knows of the audit trail: whoever can change the database cannot change its log */
export class BackstageEvents {
  readonly #auditor: AuditorService;
  #told = 0;

  constructor(auditor: AuditorService) {
    this.#auditor = auditor;
  }

  /** What the database has taken */
  recorded(rows: readonly AuditRow[]): void {
    for (const { chain, seq, event, result, record } of rows) {
      const eventId = EVENT_IDS[event];
      if (eventId === undefined) continue;
      // Most are neither, and need not be read again.
      const mayBeException = record.includes('break_glass');
      if (result !== 'DENY' && !ALWAYS.has(event) && !mayBeException) continue;
      const parsed = JSON.parse(record) as AuditRecord;
      const isException = parsed.code === 'break_glass';
      if (result !== 'DENY' && !ALWAYS.has(event) && !isException) continue;
      void this.#tell(eventId, { chain, seq, record: parsed }, isException ? 'high' : 'medium');
    }
  }

  /** How far the chain has come, if it went on since: with it the cut tail of a chain is found */
  async head({ chain, head: { seq, hash } }: Pick<AuditTrail, 'chain' | 'head'>): Promise<void> {
    if (seq === this.#told) return;
    this.#told = seq;
    await this.#tell('audit-head', { chain, seq, hash });
  }

  /** It is in the database: what the auditor does with it must not matter to anybody */
  async #tell(eventId: string, meta: Record<string, any>, severityLevel: 'medium' | 'high' = 'medium'): Promise<void> {
    try {
      const event = await this.#auditor.createEvent({ eventId, severityLevel, meta });
      await event.success();
    } catch {
      // Its own logger has said so.
    }
  }
}
