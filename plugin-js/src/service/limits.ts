/** The section `entraAccess.limits`: how much one caller may ask */
import { z } from 'zod';
import { ConfigurationError } from '../core';

const PLACE = 'entraAccess.limits';

const perMinute = (usual: number) => z.int().min(1).max(1_000_000).default(usual);

/** A person reads slower; a script that looks at everything takes its time */
const limitsSchema = z.strictObject({ inspect: perMinute(300), explain: perMinute(600) });

/** Requests of one caller to one replica within a minute */
export type Limits = z.output<typeof limitsSchema>;

/** What is left out */
export const USUAL_LIMITS: Limits = limitsSchema.parse({});

/** @throws ConfigurationError with the place and the fix */
export function readLimits(section: object): Limits {
  const { limits } = section as { limits?: unknown };
  if (limits === undefined) return USUAL_LIMITS;
  const parsed = limitsSchema.safeParse(limits);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = [PLACE, ...(issue?.path ?? [])].join('.');
  const hint = 'requests of one caller within a minute, 1 to 1000000: `inspect` and `explain`';
  throw new ConfigurationError({ path, message: issue?.message ?? 'not as expected', hint });
}
