import { GraphError } from '../graph/graphError';
import { within } from '../service/within';
import { warning, type Check, type Finding, type Verdict } from './finding';

/** Budgets; tests shorten the time */
export interface RunnerLimits {
  /** For one check */
  checkMs: number;
  /** Checks at once: each asks one or two servers */
  parallel: number;
}

/** Longer than Graph takes for a hundred requests, the most that one check sends */
export const RUNNER_LIMITS: RunnerLimits = { checkMs: 60_000, parallel: 4 };

/** Longest text of a finding */
const LONGEST = 500;

/** Makes all checks, a few at once and each within its time; @returns what was found, in the order of the checks */
export async function runChecks(
  checks: readonly Check[],
  { checkMs, parallel }: RunnerLimits = RUNNER_LIMITS,
): Promise<Finding[]> {
  const found: Finding[][] = checks.map(() => []);
  let next = 0;
  const work = async () => {
    while (next < checks.length) {
      const at = next++;
      found[at] = await madeWithin(checkMs, checks[at]!);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return found.flat();
}

async function madeWithin(checkMs: number, check: Check): Promise<Finding[]> {
  let verdicts: readonly Verdict[];
  try {
    const late = () => new LateError(`no answer within ${checkMs / 1000} s`);
    verdicts = [await within(checkMs, Promise.resolve().then(check.make), late)].flat();
  } catch (failure) {
    verdicts = [
      warning(`the check could not be made: ${reasonOf(failure)}`, 'run it again; nothing is known until then'),
    ];
  }
  return verdicts.map(({ about = check.about, outcome, what, fix }) => ({
    check: check.id,
    about: oneLine(about),
    outcome,
    what: oneLine(what),
    ...(fix === undefined ? {} : { fix: oneLine(fix) }),
  }));
}

class LateError extends Error {}

/** Messages of others may hold anything */
function reasonOf(failure: unknown): string {
  if (failure instanceof LateError || failure instanceof GraphError) return failure.message;
  return failure instanceof Error ? failure.name : 'failed';
}

function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line;
}
