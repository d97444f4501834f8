import { isGuid } from './guid';
import type { AccountsPage, Outcome } from './types';

/** Bytes of an entry for the core; see `src/directory/accounts.rs` */
const ENTRY_BYTES = 24;
const [ENABLED, DISABLED, DELETED] = [1, 2, 4];
const MAX_SECONDS = 0xffff_ffff;

/** A page with its entries in the form that the core takes */
export type ReadPage = AccountsPage & { entries: Uint8Array };

/** What is wrong with a page; nothing of it is repeated */
class PageError extends Error {}

/**
 * Reads a page of `GET /users/delta?$select=accountEnabled,signInSessionsValidFromDateTime`, and whatever Graph adds beside.
 *
 * Strict in what it uses: what cannot be read is no page, and not an account without a property.
 */
export function readAccounts(page: Uint8Array): Outcome<ReadPage, string> {
  try {
    return { ok: true, value: read(page) };
  } catch (error) {
    const reason = error instanceof PageError ? error.message : 'it is no JSON in UTF-8';
    return { ok: false, error: `the page is not one of /users/delta: ${reason}` };
  }
}

function read(page: Uint8Array): ReadPage {
  const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(page));
  if (!isObject(document) || !Array.isArray(document.value)) throw new PageError('it has no `value`');
  const users: unknown[] = document.value;
  const entries = Buffer.alloc(users.length * ENTRY_BYTES);
  users.forEach((user, at) => write(user, entries.subarray(at * ENTRY_BYTES)));
  const [next, delta] = [link(document, '@odata.nextLink'), link(document, '@odata.deltaLink')];
  return { entries, accounts: users.length, next, delta };
}

function write(user: unknown, entry: Buffer): void {
  if (!isObject(user)) throw new PageError('a user that is no object');
  const { id, accountEnabled, signInSessionsValidFromDateTime, '@removed': removed } = user;
  const hex = isGuid(id) ? id.replaceAll('-', '') : undefined;
  if (hex === undefined) throw new PageError('an `id` that is no GUID');
  entry.write(hex, 0, 'hex');
  entry.writeUInt32BE(validFrom(signInSessionsValidFromDateTime), 16);
  entry.writeUInt32BE(enabled(accountEnabled) | (removed === undefined ? 0 : DELETED), 20);
}

/** What is left out, or is `null`, is not said */
function enabled(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'boolean') throw new PageError('an `accountEnabled` that is neither true nor false');
  return value ? ENABLED : DISABLED;
}

/** In seconds since the epoch. A fraction counts as a whole second: what is "not before" is never taken for earlier than it is */
function validFrom(value: unknown): number {
  if (value === undefined || value === null) return 0;
  const [text, fraction] = (typeof value === 'string' && TIME.exec(value)) || [];
  const seconds = text === undefined ? NaN : Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) throw new PageError('a `signInSessionsValidFromDateTime` that is no time in UTC');
  const begun = /[1-9]/.test(fraction ?? '') ? 1 : 0;
  return Math.min(Math.max(seconds + begun, 0), MAX_SECONDS);
}

function link(document: Record<string, unknown>, name: string): string | null {
  const value = document[name];
  if (value !== undefined && typeof value !== 'string') throw new PageError(`a \`${name}\` that is no text`);
  return value ?? null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
