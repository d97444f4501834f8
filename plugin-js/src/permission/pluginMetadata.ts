import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { ServiceUnavailableError } from '@backstage/errors';
import { z } from 'zod';
import { coded } from '../service/coded';

const metadataSchema = z.object({
  permissions: z
    .array(
      z.object({
        type: z.enum(['basic', 'resource']),
        name: z.string(),
        attributes: z.object({ action: z.enum(['create', 'read', 'update', 'delete']).optional() }),
        resourceType: z.string().optional(),
      }),
    )
    .default([]),
  rules: z
    .array(z.object({ name: z.string(), resourceType: z.string(), paramsSchema: z.unknown().optional() }))
    .default([]),
});

/** The permissions and permission rules that a plugin declares */
export type PluginMetadata = z.infer<typeof metadataSchema>;

/** What a plugin declares; `undefined` when it could not be asked, which is no reason to complain */
export type Declared = (pluginId: string) => Promise<PluginMetadata | undefined>;

/** A backend whose plugins are asked what they declare */
export interface Backend {
  auth: AuthService;
  discovery: DiscoveryService;
}

/** Asks each plugin once; those that did not answer are in `silent` */
export function askOnce(backend: Backend): { declared: Declared; silent: readonly string[] } {
  const silent: string[] = [];
  const asked = new Map<string, ReturnType<Declared>>();
  const declared: Declared = pluginId => {
    const present = asked.get(pluginId);
    if (present) return present;
    const answer = fetchPluginMetadata(backend, pluginId).catch(() => {
      silent.push(pluginId);
      return undefined;
    });
    asked.set(pluginId, answer);
    return answer;
  };
  return { declared, silent };
}

/** Asks a plugin what it declares; one that is not there declares nothing. @throws ServiceUnavailableError when it does not tell */
export async function fetchPluginMetadata({ auth, discovery }: Backend, pluginId: string): Promise<PluginMetadata> {
  const { token } = await auth.getPluginRequestToken({
    onBehalfOf: await auth.getOwnServiceCredentials(),
    targetPluginId: pluginId,
  });
  const base = await discovery.getBaseUrl(pluginId);
  const response = await fetch(`${base}/.well-known/backstage/permissions/metadata`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5_000),
    // One in another process may be away.
  }).catch(() => undefined);
  if (response?.status === 404) return { permissions: [], rules: [] };
  if (!response?.ok)
    throw coded('plugin_unavailable', new ServiceUnavailableError(`plugin ${pluginId} did not tell its permissions`));
  return metadataSchema.parse(await response.json());
}
