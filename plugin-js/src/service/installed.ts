import type { RootInstanceMetadataService } from '@backstage/backend-plugin-api';

/** Plugins that make or use sessions in the process in which they are */
const WITH_SESSIONS = ['auth', 'entra-access', 'permission'];

/** Whether a plugin is installed in this backend */
export async function isInstalled(instance: RootInstanceMetadataService, ...pluginIds: string[]): Promise<boolean> {
  const plugins = await instance.getInstalledPlugins();
  return plugins.some(({ pluginId }) => pluginIds.includes(pluginId));
}

/**
 * Whether this process has to answer for itself who is signed in and who owns what. Either mistake is safe: asked in the
 * wrong place, nobody is known.
 */
export function sessionsAreHere(instance: RootInstanceMetadataService): Promise<boolean> {
  return isInstalled(instance, ...WITH_SESSIONS);
}
