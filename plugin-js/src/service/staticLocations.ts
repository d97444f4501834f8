import { resolve } from 'node:path';
import type { RootConfigService } from '@backstage/backend-plugin-api';
import { ScmIntegrations } from '@backstage/integration';
import type { LocationRefs } from '../core';

/**
 * What the operator named in `catalog.locations`, as the catalog annotates the entities that stand directly in it.
 *
 * The same resolution as in Backstage's ConfigLocationEntityProvider and DefaultCatalogProcessingOrchestrator: GitHub's
 * `blob` becomes `tree`, for example. What they point to, and what a pattern matches, has other annotations.
 */
export function staticLocations(config: RootConfigService): Array<Required<LocationRefs>> {
  const locations = config.getOptionalConfigArray('catalog.locations') ?? [];
  if (locations.length === 0) return [];
  const integrations = ScmIntegrations.fromConfig(config);
  return locations.map(location => {
    const type = location.getString('type');
    const named = location.getString('target');
    const target = type === 'file' ? resolve(named) : named;
    return { location: `${type}:${type === 'url' ? read(integrations, target) : target}`, origin: `${type}:${target}` };
  });
}

function read(integrations: ScmIntegrations, target: string): string {
  try {
    return integrations.resolveUrl({ url: target, base: target });
  } catch {
    // As Backstage does.
    return target;
  }
}
