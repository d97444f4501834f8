import type { RootConfigService } from '@backstage/backend-plugin-api';
import { ConfigurationError } from '../core';
import { list, mapping, ofTenants } from '../service/loosely';

const PLACE = 'auth.providers.microsoft';
/** Name of our sign-in resolver */
export const RESOLVER = 'entraGroups';

/**
 * The client ids with which people sign in through our resolver: one for each environment that names it.
 * @throws ConfigurationError when its ID tokens could never be accepted
 */
export function readMicrosoftClients(config: Pick<RootConfigService, 'getOptional'>): ReadonlySet<string> {
  const audiences = ofTenants(config.getOptional('entraAccess.tenants'), 'audiences');
  const environments = Object.entries(mapping(config.getOptional(PLACE))).filter(([, settings]) => isOurs(settings));
  return new Set(
    environments.map(([name, settings]) => {
      const client = String(mapping(settings).clientId).toLowerCase();
      if (audiences.has(client)) return client;
      throw new ConfigurationError({
        path: `${PLACE}.${name}.clientId`,
        message: `the client is no audience of any tenant, so \`${RESOLVER}\` could accept none of its ID tokens`,
        hint: 'add the client id to `entraAccess.tenants[].audiences`',
      });
    }),
  );
}

function isOurs(settings: unknown): boolean {
  const { resolvers } = mapping(mapping(settings).signIn);
  return list(resolvers).some(entry => mapping(entry).resolver === RESOLVER);
}
