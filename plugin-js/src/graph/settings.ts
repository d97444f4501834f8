import { existsSync } from 'node:fs';
import { z } from 'zod';
import { ConfigurationError } from '../core';
import { findFile } from '../service/configFiles';

/** How the backend proves itself to Microsoft Graph. The core never sees it */
export type GraphSettings =
  | { kind: 'secret'; clientId: string; secret: string }
  | { kind: 'certificate'; clientId: string; path: string }
  | { kind: 'managedIdentity'; clientId?: string };

const PLACE = 'entraAccess.groups.graph';
/** Stands in the core's errors for whatever may be a secret */
const GIVEN = '(not shown)';

const text = z.string().min(1);
const guid = z.guid();
const settingsSchema = z.union([
  z.strictObject({ clientId: guid, clientSecret: text }),
  z.strictObject({ clientId: guid, certificate: text }),
  z.strictObject({
    clientId: guid.optional(),
    managedIdentity: z.union([z.literal(true), z.strictObject({ clientId: guid })]),
  }),
]);

type Section = { groups?: { source?: unknown; overage?: unknown; graph?: unknown } };

/**
 * The credentials for Microsoft Graph, where it is to be asked; `undefined` also for what the core will refuse with the place
 * and the fix.
 * @throws ConfigurationError for a certificate that is not there
 */
export function readGraphSettings(section: object, argv: readonly string[]): GraphSettings | undefined {
  const { groups } = section as Section;
  const parsed = settingsSchema.safeParse(credentialsIn(groups?.graph));
  if ((groups?.overage !== 'graph' && groups?.source !== 'graph') || !parsed.success) return undefined;
  const settings = parsed.data;
  if ('clientSecret' in settings) return { kind: 'secret', clientId: settings.clientId, secret: settings.clientSecret };
  if ('certificate' in settings) {
    return { kind: 'certificate', clientId: settings.clientId, path: certificatePath(settings.certificate, argv) };
  }
  const { clientId, managedIdentity } = settings;
  const assigned = managedIdentity === true ? clientId : managedIdentity.clientId;
  return { kind: 'managedIdentity', ...(assigned ? { clientId: assigned } : {}) };
}

/** What else stands beside them says how the directory is followed */
function credentialsIn(graph: unknown): unknown {
  if (typeof graph !== 'object' || graph === null) return graph;
  return Object.fromEntries(Object.entries(graph).filter(([name]) => name !== 'staleAfter' && name !== 'directory'));
}

/** How long what is known of a tenant counts, in seconds: unless set, and within which bounds it may be */
const STALE_AFTER = { unset: 900, least: 120, most: 86_400 };

/**
 * `staleAfter`, in seconds, where the directory is the source of groups.
 * @throws ConfigurationError when it is no useful bound
 */
export function readStaleAfter(section: object): number | undefined {
  const { groups } = section as Section;
  if (groups?.source !== 'graph') return undefined;
  const { staleAfter = STALE_AFTER.unset } = (groups.graph ?? {}) as { staleAfter?: unknown };
  const { least, most } = STALE_AFTER;
  const fits =
    typeof staleAfter === 'number' && Number.isInteger(staleAfter) && staleAfter >= least && staleAfter <= most;
  if (fits) return staleAfter;
  throw new ConfigurationError({
    path: `${PLACE}.staleAfter`,
    message: `this must be a number of seconds, ${least} to ${most}`,
    hint: 'below two polls every answer of Microsoft Graph that is late would make all groups unknown; beyond a day it is no bound',
  });
}

function certificatePath(certificate: string, argv: readonly string[]): string {
  const path = `${PLACE}.certificate`;
  if (certificate.includes('-----BEGIN')) {
    const hint = 'write both, the certificate and its key, into a file that only the backend can read';
    throw new ConfigurationError({ path, message: 'this is the path of a PEM file, not its content', hint });
  }
  const { found, folders } = findFile(certificate, argv);
  if (found && existsSync(found)) return found;
  throw new ConfigurationError({ path, message: 'there is no such file', hint: `looked in ${folders.join(', ')}` });
}

/**
 * The same section for the core, which judges its form: what stands below `groups.graph` only says what kind of value it is,
 * wherever a secret may have been written.
 */
export function withoutSecrets(section: object): object {
  const { groups } = section as Section;
  if (typeof groups !== 'object' || groups === null || !('graph' in groups)) return section;
  return { ...section, groups: { ...groups, graph: maskGraph(groups.graph) } };
}

function maskGraph(graph: unknown): unknown {
  if (typeof graph !== 'object' || graph === null || Array.isArray(graph)) return graph === null ? null : mask(graph);
  return Object.fromEntries(Object.entries(graph).map(([name, value]) => [name, masks[name]?.(value) ?? mask(value)]));
}

const isGuid = (value: unknown) => guid.safeParse(value).success;

/** What is no secret where it belongs: ids, and the shape of `managedIdentity` */
const masks: Record<string, (value: unknown) => unknown> = {
  clientId: value => (isGuid(value) ? value : undefined),
  managedIdentity(value) {
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, isGuid(inner) ? inner : mask(inner)]),
    );
  },
};

/** An empty text stays one; of everything else that is no text, only that it is none */
function mask(value: unknown): string | false {
  return typeof value === 'string' ? value && GIVEN : false;
}
