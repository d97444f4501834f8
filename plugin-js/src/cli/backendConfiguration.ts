import { resolve } from 'node:path';
import type { RootConfigService } from '@backstage/backend-plugin-api';
import { ConfigSources } from '@backstage/config-loader';
import { ConfigurationError } from '../core';
import { withoutSecrets } from '../graph/settings';
import { readBreakGlass, withPeople } from '../service/breakGlass';
import { firstLine } from '../service/policyText';

/** Of `groups`: how they are asked for. Whoever describes a principal knows its groups, and the credentials are elsewhere */
const ASKING = ['overage', 'graph', 'workloads'];

/** As the backend is started with these files */
export function argumentsOf(files: readonly string[]): string[] {
  return files.flatMap(file => ['--config', resolve(file)]);
}

/** All of a backend's configuration, with `${VARIABLES}` and `$include`. @throws ConfigurationError when it cannot be read */
export async function openConfiguration(files: readonly string[]): Promise<RootConfigService> {
  try {
    const sources = ConfigSources.default({ argv: argumentsOf(files), env: process.env, watch: false });
    const config = await ConfigSources.toConfig(sources);
    config.close();
    // A file that is no configuration is found at the first look.
    config.keys();
    return config;
  } catch (error) {
    throw new ConfigurationError({ path: files.join(' '), message: `could not be read: ${firstLine(error)}` });
  }
}

/**
 * The section `entraAccess` of a backend's configuration for the core, without its policy and without its secrets; files are
 * read as Backstage reads them, with `${VARIABLES}` and `$include`. No directory is followed here, so that the groups of a
 * token or of a description count, and no break-glass entry does.
 * @throws ConfigurationError when there is none
 */
export async function readBackendConfiguration(files: readonly string[]): Promise<string> {
  const path = files.join(' ');
  const section = (await openConfiguration(files)).getOptional('entraAccess');
  if (typeof section !== 'object' || section === null || Array.isArray(section)) {
    throw new ConfigurationError({ path, message: 'there is no section `entraAccess`' });
  }
  const forCore = withPeople(withoutSecrets(section), readBreakGlass(section));
  const { groups, ...rest } = forCore as { groups?: unknown };
  return JSON.stringify({ ...rest, ...(groups === undefined ? {} : { groups: withoutAsking(groups) }), policy: {} });
}

function withoutAsking(groups: unknown): unknown {
  // Anything else than a mapping is the core's to refuse.
  if (typeof groups !== 'object' || groups === null || Array.isArray(groups)) return groups;
  const asks = ([name, value]: [string, unknown]) => ASKING.includes(name) || (name === 'source' && value === 'graph');
  return Object.fromEntries(Object.entries(groups).filter(entry => !asks(entry)));
}
