import type { Standing, Study } from './types';

type Revoked = NonNullable<Standing['revoked']>;

/** By the core's numbers */
const REVOKED: ReadonlyArray<Standing['revoked']> = [undefined, 'disabled', 'deleted', 'signedOut', 'absent'];
const GAPS: ReadonlyArray<Standing['gap']> = [undefined, 'notLoaded', 'stale', 'newAccount'];

const REASONS: Readonly<Record<Revoked, string>> = {
  disabled: 'the account is disabled in Entra',
  deleted: 'the account was deleted in Entra',
  signedOut: 'all sign-ins of the account were ended in Entra after this one; sign in again',
  absent: 'Entra has no such account',
};

/** Bits 0-3 why refused, 4-7 why groups are not known, 8 whether they are the directory's word; what cannot be read is refused */
export function standingOf(number: number): Standing {
  const [revoked, gap] = [number & 0xf, (number >>> 4) & 0xf];
  return {
    revoked: revoked < REVOKED.length ? REVOKED[revoked] : 'absent',
    gap: gap < GAPS.length ? GAPS[gap] : 'notLoaded',
    live: number >>> 8 === 1,
  };
}

/** Why somebody is refused, with the stable code in front */
export function revokedReason(revoked: Revoked): string {
  return `principal_revoked: ${REASONS[revoked]}`;
}

/** The explanation of whatever is asked about somebody who is refused: no rule is considered */
export function revokedStudy(revoked: Revoked): Study {
  const groups = { state: 'unknown', count: 0, matched: [] } as const;
  const explanation = { result: 'DENY', rule: null, reasons: [revokedReason(revoked)], groups } as const;
  return {
    explanation: { ...explanation, reasons: [...explanation.reasons], groups: { ...groups, matched: [] } },
    rules: [],
    asks: [],
    withheld: [],
  };
}
