import { databaseReason } from './sessionStoreAccess';
import { within } from './within';

/** How long one question may take */
const ANSWER_MS = 10_000;
/** The same for one transaction, and for a question about all rows of a load */
export const LONG_MS = 60_000;

/** What came of a question to the database that was not answered: what a driver says quotes statements, so only its code is passed on */
export class UnansweredError extends Error {
  constructor(reason: unknown) {
    super(`the database of entra-access does not answer (${databaseReason(reason)})`);
  }
}

/**
 * The answer of the database in time.
 * @throws UnansweredError
 */
export async function answered<T>(question: PromiseLike<T>, milliseconds = ANSWER_MS): Promise<T> {
  try {
    return await within(milliseconds, Promise.resolve(question));
  } catch (error) {
    throw new UnansweredError(error);
  }
}
