import { z } from 'zod';
import { ConfigurationError } from '../core';
import { list, mapping } from './loosely';

const PLACE = 'entraAccess.breakGlass';
const MAX_ENTRIES = 16;

/** Somebody who is let in by name while the directory has no word about anybody's groups */
export interface BreakGlassEntry {
  /** What the audit trail calls it */
  name: string;
  tenantId: string;
  objectId: string;
  /** Why it is there; for whoever reads the audit trail */
  reason?: string;
}

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PERSON = new RegExp(`^(${GUID})/(${GUID})$`, 'i');

const entriesSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'this must be 1 to 64 letters, digits, dots and dashes'),
      principal: z.string().regex(PERSON, 'this must be `<tenant id>/<object id>`: a person, by ids that never change'),
      reason: z.string().min(1).max(256).optional(),
    }),
    'this must be a list of entries with `name` and `principal`',
  )
  .max(MAX_ENTRIES, `more than ${MAX_ENTRIES} entries are no exception any more`);

/**
 * Reads the section `entraAccess.breakGlass`.
 * @throws ConfigurationError with the place of the first mistake
 */
export function readBreakGlass(section: object): BreakGlassEntry[] {
  const { breakGlass, groups } = section as { breakGlass?: unknown; groups?: unknown };
  if (breakGlass === undefined) return [];
  const parsed = entriesSchema.safeParse(breakGlass);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? [])
      .map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('');
    throw new ConfigurationError({ path: `${PLACE}${path}`, message: issue?.message ?? 'not valid' });
  }
  if (mapping(groups).source !== 'graph' && parsed.data.length > 0) {
    throw new ConfigurationError({
      path: PLACE,
      message: 'groups come with the tokens, so no entry would ever count',
      hint: 'set `groups.source: graph`, or remove the section',
    });
  }
  const listed = list((section as { tenants?: unknown }).tenants);
  const tenants = new Set(listed.map(tenant => String(mapping(tenant).tenantId).toLowerCase()));
  const entries: BreakGlassEntry[] = [];
  parsed.data.forEach(({ name, principal, reason }, at) => {
    const mistake = (field: string, message: string, hint: string) =>
      new ConfigurationError({ path: `${PLACE}[${at}].${field}`, message, hint });
    const [tenantId = '', objectId = ''] = principal.toLowerCase().split('/');
    if (!tenants.has(tenantId))
      throw mistake('principal', 'the tenant is not listed', 'it has to stand under `entraAccess.tenants`');
    if (entries.some(other => other.tenantId === tenantId && other.objectId === objectId))
      throw mistake('principal', 'this person is listed twice', 'one entry for each person');
    if (entries.some(other => other.name === name))
      throw mistake('name', 'this name is taken', 'the audit trail tells entries apart by their names');
    entries.push({ name, tenantId, objectId, ...(reason === undefined ? {} : { reason }) });
  });
  return entries;
}

/** The same section for the core, which only has to know who it is: tenant and object id of each */
export function withPeople(section: object, entries: readonly BreakGlassEntry[]): object {
  if (!('breakGlass' in section)) return section;
  return { ...section, breakGlass: entries.flatMap(({ tenantId, objectId }) => [tenantId, objectId]) };
}
