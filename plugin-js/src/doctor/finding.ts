import type { ConfigurationError } from '../core';

/** What came of a check. `skipped`: it could not be made, so nothing is known; never to be taken for `ok` */
export type Grade = 'ok' | 'warning' | 'error' | 'skipped';

/** One line of the table. Its texts hold no token, no secret and nothing that somebody else has written */
export interface Finding {
  /** Stable id of the check, such as `issuer.keys` */
  check: string;
  /** What was looked at, such as the id of an issuer or a client id */
  about: string;
  outcome: Grade;
  what: string;
  /** What to change; with everything but `ok` */
  fix?: string;
}

/** A finding before it is known which check it is of; `about` where it is narrower than the check's */
export type Verdict = Pick<Finding, 'outcome' | 'what' | 'fix'> & { about?: string };

/** Something to look at. A check that throws could not be made */
export interface Check {
  id: string;
  about: string;
  make(): Verdict | readonly Verdict[] | Promise<Verdict | readonly Verdict[]>;
}

export const ok = (what: string): Verdict => ({ outcome: 'ok', what });
export const warning = (what: string, fix: string): Verdict => ({ outcome: 'warning', what, fix });
export const error = (what: string, fix: string): Verdict => ({ outcome: 'error', what, fix });
export const skipped = (what: string, fix: string): Verdict => ({ outcome: 'skipped', what, fix });

/** The same about something narrower */
export const about = (narrower: string, verdict: Verdict): Verdict => ({ ...verdict, about: narrower });

/** What is wrong, or that nothing is */
export function orOk(found: readonly Verdict[], what: string): readonly Verdict[] {
  return found.length > 0 ? found : [ok(what)];
}

const READ = { check: 'configuration', about: 'entraAccess' } as const;
/** The section `entraAccess` and the policy have been read */
export const readWell: Finding = { ...READ, ...ok('read without a mistake') };

/** They could not be read, and all checks hang on them */
export function misread({ message }: ConfigurationError): Finding {
  const fix = 'correct it; until then the backend does not start, and nothing else can be checked';
  return { ...READ, ...error(message, fix) };
}

const GRADES: readonly Grade[] = ['ok', 'skipped', 'warning', 'error'];

/** The worst outcome of all: what is not known is worse than what is well, and better than a warning */
export function worstOf(findings: readonly Finding[]): Grade {
  return GRADES[Math.max(0, ...findings.map(({ outcome }) => GRADES.indexOf(outcome)))] ?? 'error';
}

/** Asked once, however many checks look at the answer */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
