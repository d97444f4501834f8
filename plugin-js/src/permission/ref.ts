import { coreServices, createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';
import { entraAccessServiceRef } from '../service/ref';
import { EntraPermissionPolicy } from './policy';

/** One for the process: the permission backend asks it, and so does whoever does not want to go over HTTP */
export const entraPolicyServiceRef = createServiceRef<EntraPermissionPolicy>({
  id: 'entra-access.policy',
  scope: 'root',
  defaultFactory: async service =>
    createServiceFactory({
      service,
      deps: { entraAccess: entraAccessServiceRef, logger: coreServices.rootLogger },
      factory: ({ entraAccess, logger }) =>
        new EntraPermissionPolicy(entraAccess, logger.child({ service: 'entra-access' })),
    }),
});
