/** Pages of accounts for the core, as Microsoft Graph would write them, made of rows */
import type { AccountRow } from './accountRows';

/** A page of `/users/delta` that says all that rows say */
export function accountPage(rows: readonly AccountRow[]): Uint8Array {
  const value = rows.map(({ id, enabled, validFrom, removed }) =>
    removed === null
      ? { id, accountEnabled: enabled, signInSessionsValidFromDateTime: validFrom }
      : { id, '@removed': { reason: removed } },
  );
  return Buffer.from(JSON.stringify({ value }));
}
