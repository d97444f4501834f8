import { randomBytes } from 'node:crypto';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { CustomErrorBase, ServiceUnavailableError } from '@backstage/errors';
import type { AuditRecord } from '../audit/records';
import type { AuditTrail } from '../audit/trail';
import { TokenRejectedError } from '../core';
import { coded, unavailableCode } from './coded';
import { errorWord } from './errorWord';

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

type Recording = Pick<AuditTrail, 'require' | 'countRefused'>;

/** A new reference */
export function newReference(): string {
  return [...randomBytes(LENGTH)].map(byte => LETTERS[byte & 31]).join('');
}

/**
 * Gives every refused sign-in and token a reference: whoever is refused reads it behind one safe sentence, and the operator finds the
 * full reason by it.
 */
export class Refusals {
  readonly #audit: Recording;
  readonly #logger: Pick<LoggerService, 'info'>;

  constructor(audit: Recording, logger: Pick<LoggerService, 'info'>) {
    this.#audit = audit;
    this.#logger = logger;
  }

  /**
   * Records a refusal and makes its error fit to be shown.
   *
   * One that has a reference is recorded already, maybe in another process. Of tokens that are refused in numbers the most are counted
   * by one record, and have its reference (`audit/refusedTokens.ts`). What cannot be recorded is refused as
   * `audit_unavailable` with the same reference, unless it says itself that something is away.
   *
   * @returns the error to throw
   */
  async refuse<E extends Error & { code?: string }>(error: E, record: RefusalRecord): Promise<Refused<Error>> {
    if (isRefused(error)) return error;
    const ours = withCode(isOurs(error) ? error : unexpected(error));
    const { code, message } = ours;
    const what = { ...record, code, reasons: record.reasons ?? [message] };
    const counted = this.#audit.countRefused(what, newReference);
    if (counted?.count === 1) {
      this.#logger.info(`refused: ${code} (reference ${counted.reference}), and all others of the kind in this minute`);
    }
    if (counted) return shown(ours, SAFE[code] ?? message, counted.reference);
    const reference = newReference();
    const line = `refused: ${code} (reference ${reference})`;
    const refused = shown(ours, SAFE[code] ?? message, reference);
    try {
      // What could not be recorded is not recorded as not recorded either.
      const recorded = code === 'audit_unavailable' ? undefined : this.#audit.require({ ...what, reference });
      // Where no audit trail is kept the operator finds the full reason here.
      this.#logger.info(recorded ? line : `${line}: ${what.reasons.join('; ')}`);
      await recorded;
    } catch (unrecorded) {
      if (ours.name !== 'ServiceUnavailableError') return shown(unrecorded as Error, undefined, reference);
    }
    return refused;
  }
}

/** Ours and Backstage's, whose messages are written to be read */
function isOurs(error: Error): boolean {
  return error instanceof TokenRejectedError || error instanceof CustomErrorBase;
}

/** Of whatever else goes wrong, such as in a database driver: what kind it was, and no more */
function unexpected(error: Error) {
  return coded('sign_in_unavailable', new ServiceUnavailableError(`unexpected: ${errorWord(error, 'Error')}`));
}

/** What is recorded with a code is shown with it, and a 503 with one that is known for it */
function withCode<E extends Error & { code?: string }>(error: E): E & { code: string } {
  const { name, code } = error;
  const known = name === 'ServiceUnavailableError' ? unavailableCode(code) : (code ?? 'sign_in_incomplete');
  return Object.assign(error, { code: known });
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
