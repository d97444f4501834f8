import { externalTokenHandlersServiceRef } from '@backstage/backend-defaults/auth';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { entraAccessServiceRef } from '../service/ref';
import { readEntries } from './entries';
import { EntraTokenHandler } from './handler';

/** The external token handler `entra`; without an entry under `backend.auth.externalAccess` it does nothing */
export const externalTokenHandlerServiceFactory = createServiceFactory({
  service: externalTokenHandlersServiceRef,
  deps: { config: coreServices.rootConfig, entraAccess: entraAccessServiceRef, logger: coreServices.logger },
  factory({ config, entraAccess, logger }) {
    for (const client of readEntries(config)) entraAccess.externalClients.add(client);
    return new EntraTokenHandler({ entraAccess, logger });
  },
});
