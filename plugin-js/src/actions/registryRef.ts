import { createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';
import { actionsRegistryServiceRef, type ActionsRegistryService } from '@backstage/backend-plugin-api/alpha';

/** Backstage's registry of actions; on a backend of a release that has none, one that takes them in and keeps them to itself */
export const actionsRegistryRef = createServiceRef<ActionsRegistryService>({
  id: actionsRegistryServiceRef.id,
  scope: 'plugin',
  defaultFactory: async service =>
    createServiceFactory({ service, deps: {}, factory: () => ({ register: () => undefined }) }),
});
