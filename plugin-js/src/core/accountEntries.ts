import { isGuid } from './guid';
import { momentSeconds } from './moment';

/** Bytes of an entry; see `src/directory/accounts.rs` */
const ENTRY_BYTES = 24;
/** Where it says from when on sign-ins count, and what else */
const [SINCE, SAYS] = [16, 20];
const [ENABLED, DISABLED, DELETED] = [1, 2, 4];

/** What Microsoft Graph says of an account; what is absent, or `null`, was not said */
export interface AccountInput {
  /** Object id */
  id: string;
  enabled?: boolean | null;
  /** `signInSessionsValidFromDateTime`, as Graph writes it */
  validFrom?: string | null;
  /** Deleted, for whatever reason */
  removed?: unknown;
}

/**
 * Accounts in the form in which the core takes them.
 * @throws TypeError for what is no account; nothing of it is repeated
 */
export function accountEntries(accounts: readonly AccountInput[]): Uint8Array {
  const entries = Buffer.alloc(accounts.length * ENTRY_BYTES);
  accounts.forEach((account, at) => write(account, entries.subarray(at * ENTRY_BYTES)));
  return entries;
}

/** Entries that say of each account, once, what these say one after the other; the core reads them so, too (`src/directory/accounts.rs`) */
export function joinedEntries(told: readonly Uint8Array[]): Uint8Array {
  const all = Buffer.concat(told);
  const byId = new Map<string, Buffer>();
  for (let at = 0; at < all.length; at += ENTRY_BYTES) {
    const entry = all.subarray(at, at + ENTRY_BYTES);
    const id = entry.toString('latin1', 0, SINCE);
    const known = byId.get(id);
    if (!known) {
      byId.set(id, entry);
      continue;
    }
    known.writeUInt32BE(Math.max(known.readUInt32BE(SINCE), entry.readUInt32BE(SINCE)), SINCE);
    const [before, says] = [known.readUInt32BE(SAYS), entry.readUInt32BE(SAYS)];
    const enabled = (says & (ENABLED | DISABLED) ? says : before) & (ENABLED | DISABLED);
    known.writeUInt32BE(enabled | (says & DELETED), SAYS);
  }
  return Buffer.concat([...byId.values()]);
}

function write({ id, enabled, validFrom, removed }: AccountInput, entry: Buffer): void {
  if (!isGuid(id)) throw new TypeError('the id of an account is no GUID');
  entry.write(id.replaceAll('-', ''), 0, 'hex');
  entry.writeUInt32BE(seconds(validFrom), SINCE);
  const said = enabled === true ? ENABLED : enabled === false ? DISABLED : 0;
  entry.writeUInt32BE(said | (removed ? DELETED : 0), SAYS);
}

function seconds(validFrom: string | null | undefined): number {
  const since = validFrom == null ? 0 : momentSeconds(validFrom);
  if (since === undefined) throw new TypeError('the time from which sign-ins count is no time in UTC');
  return since;
}
