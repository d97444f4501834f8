import type { MetricsServiceHistogram, TracingService } from '@backstage/backend-plugin-api/alpha';
import type { PolicyDecision } from '@backstage/plugin-permission-common';
import { REJECTION_CODES, type RejectionCode } from '../core/codes';
import { Counts } from './counts';
import { errorWord } from '../service/errorWord';

/** One decision in so many is timed: two readings of the clock cost as much as the decision. A power of two */
export const TIMED_IN = 64;

/** What came of judging a token */
type Validation = 'accepted' | 'core_unavailable' | RejectionCode;

/** What is counted where it happens, whether or not anybody looks: numbers in memory, which are read when metrics are collected */
export class Telemetry {
  /** Judged tokens: `accepted`, or why not */
  readonly validations = new Counts<Validation>(['accepted', 'core_unavailable', ...REJECTION_CODES]);
  /** Answers of the policy */
  readonly decisions: Record<PolicyDecision['result'], number> = { ALLOW: 0, DENY: 0, CONDITIONAL: 0 };
  #durations?: MetricsServiceHistogram;
  #tracing?: TracingService;
  #untimed = 0;

  /** From now on somebody may look */
  attach(durations: MetricsServiceHistogram | undefined, tracing: TracingService | undefined): void {
    this.#durations = durations;
    this.#tracing = tracing;
  }

  /** Whether the decision that is about to be made is one to be {@link timed}; the way of every decision */
  due(): boolean {
    this.#untimed = (this.#untimed + 1) & (TIMED_IN - 1);
    return this.#untimed === 0 && this.#durations !== undefined;
  }

  /** Answers, and takes the time */
  async timed(answer: () => Promise<PolicyDecision>): Promise<PolicyDecision> {
    const begun = performance.now();
    let result = 'error';
    try {
      const decision = await answer();
      result = decision.result;
      return decision;
    } finally {
      this.#durations?.record((performance.now() - begun) / 1_000, { result });
    }
  }

  /**
   * Does something within a span. Of an error the span gets the code or the name: the message of a database driver quotes the
   * statement with its values, and Backstage's service would write it down.
   */
  async span<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (!this.#tracing) return work();
    const outcome = await this.#tracing.startActiveSpan(name, async span => {
      try {
        return { value: await work() };
      } catch (error) {
        span.setAttribute('error.type', errorWord(error, 'Error'));
        span.setStatus({ code: 'error' });
        return { error };
      }
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}
