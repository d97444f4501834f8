import { randomBytes } from 'node:crypto';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { AuditRecord } from '../audit/records';
import type { AuditTrail } from '../audit/trail';

/** Crockford's: no letter is taken for a digit when a reference is read out */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Fifty bits: no two of a billion refusals are likely to share one */
const LENGTH = 10;

/** What whoever is refused reads in the place of a message that says something about others, or about how this is set up */
const SAFE: Readonly<Record<string, string>> = {
  principal_conflict: 'it is not certain who you are in Backstage, so you are not signed in; ask whoever operates it',
  identity_unavailable: 'who you are in Backstage cannot be looked up at the moment; try again',
  sign_in_unavailable: 'signing in is not available at the moment; try again',
};

/** An error with what it is found by in log and audit */
type Refused<E extends Error> = E & { reference: string };

/** What is recorded of a refusal beside its reference */
export type RefusalRecord = Omit<AuditRecord, 'at' | 'reference'>;

/** A new reference */
export function newReference(): string {
  return [...randomBytes(LENGTH)].map(byte => LETTERS[byte & 31]).join('');
}

/**
 * Gives every refused sign-in and token a reference: whoever is refused reads it behind one safe sentence, and the operator finds the
 * full reason by it.
 */
export class Refusals {
  readonly #audit: Pick<AuditTrail, 'require'>;
  readonly #logger: Pick<LoggerService, 'info'>;

  constructor(audit: Pick<AuditTrail, 'require'>, logger: Pick<LoggerService, 'info'>) {
    this.#audit = audit;
    this.#logger = logger;
  }

  /**
   * Records a refusal and makes its error fit to be shown.
   *
   * One that has a reference is recorded already, maybe in another process. What cannot be recorded is refused as
   * `audit_unavailable` with the same reference, unless it says itself that something is away.
   *
   * @returns the error to throw
   */
  async refuse<E extends Error & { code?: string }>(error: E, record: RefusalRecord): Promise<Refused<Error>> {
    if (isRefused(error)) return error;
    const { code = 'sign_in_incomplete', message } = error;
    const reference = newReference();
    this.#logger.info(`refused: ${code} (reference ${reference})`);
    const refused = shown(error, SAFE[code] ?? message, reference);
    // What could not be recorded is not recorded as not recorded either.
    if (code === 'audit_unavailable') return refused;
    try {
      await this.#audit.require({ ...record, code, reasons: record.reasons ?? [message], reference });
    } catch (unrecorded) {
      if (error.name !== 'ServiceUnavailableError') return shown(unrecorded as Error, undefined, reference);
    }
    return refused;
  }
}

function isRefused<E extends Error>(error: E): error is Refused<E> {
  return typeof (error as { reference?: unknown }).reference === 'string';
}

function shown<E extends Error>(error: E, sentence = error.message, reference: string): Refused<E> {
  error.message = `${sentence} (reference ${reference})`;
  // Backstage shows it while one develops, and it begins with the message as it was.
  error.stack = `${error.name}: ${error.message}`;
  return Object.assign(error, { reference });
}
