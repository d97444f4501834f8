import { databaseReason } from '../service/sessionStoreAccess';
import { within } from '../service/within';

/** How long one question may take */
const ANSWER_MS = 10_000;
/** The same for one transaction, and for a question about all rows of a load */
export const LONG_MS = 60_000;

/** The answer of the database in time. What a driver says quotes statements: only its code is passed on */
export async function answered<T>(question: PromiseLike<T>, milliseconds = ANSWER_MS): Promise<T> {
  try {
    return await within(milliseconds, Promise.resolve(question));
  } catch (error) {
    throw new Error(`the database of entra-access does not answer (${databaseReason(error)})`);
  }
}
