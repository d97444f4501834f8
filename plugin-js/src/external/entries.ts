import type { RootConfigService } from '@backstage/backend-plugin-api';
import { z } from 'zod';
import { ConfigurationError } from '../core';
import { list, mapping, ofTenants } from '../service/loosely';

/** `type` of the entries that are ours */
export const TYPE = 'entra';
const PLACE = 'backend.auth.externalAccess';

const optionsSchema = z.strictObject({
  /** Client ids of the applications */
  clients: z
    .array(z.guid('a client id is a GUID').transform(client => client.toLowerCase()))
    .min(1, 'name at least one client id; there is no wildcard'),
});
const entrySchema = z.strictObject({
  type: z.literal(TYPE),
  options: optionsSchema,
  // What each of them means is Backstage's own affair, which reads them as strictly.
  accessRestrictions: z
    .array(z.looseObject({ plugin: z.string() }), 'required: without it these clients could do everything')
    .min(1, 'the list is empty: without a restriction these clients could do everything'),
});

/** The options of an entry, which {@link readEntries} has checked */
export function readClients(options: unknown): ReadonlySet<string> {
  return new Set(optionsSchema.parse(options).clients);
}

/**
 * The client ids in all our entries of `backend.auth.externalAccess`.
 * @throws ConfigurationError with the place of the first mistake
 */
export function readEntries(config: Pick<RootConfigService, 'getOptional'>): string[] {
  const letIn = ofTenants(config.getOptional('entraAccess.tenants'), 'clients');
  const known = new Set<string>();
  for (const [at, entry] of list(config.getOptional(PLACE)).entries()) {
    if (mapping(entry).type !== TYPE) continue;
    const place = `${PLACE}[${at}]`;
    for (const client of readEntry(entry, place)) {
      if (known.has(client)) {
        throw new ConfigurationError({ path: `${place}.options.clients`, message: `client ${client} is listed twice` });
      }
      if (!letIn.has(client)) {
        throw new ConfigurationError({
          path: `${place}.options.clients`,
          message: `no tenant lets client ${client} in, so every token of it would be refused`,
          hint: 'add it to `clients` of its tenant under `entraAccess.tenants`, or take it off here',
        });
      }
      known.add(client);
    }
  }
  return [...known];
}

function readEntry(entry: unknown, place: string): string[] {
  const parsed = entrySchema.safeParse(entry);
  if (parsed.success) return parsed.data.options.clients;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw new ConfigurationError({ path: `${place}${path}`, message: issue?.message ?? 'not valid' });
}
