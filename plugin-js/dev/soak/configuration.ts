/** The configuration of a replica of the soak */
import { DIRECTORY_READER } from '../../e2e/support/follow';
import { backstageApi } from '../tenant/applications';
import type { Tenant } from '../tenant/tenant';
import { TEAM } from './company';
import type { Options } from './options';
import type { Configure } from './replicas';

/** The shortest that may be configured: what is older than that counts no longer */
export const STALE_AFTER_SECONDS = 120;

/** @param address in front of all replicas */
export function configurationOf(
  tenant: Tenant,
  connection: object,
  address: string,
  { poll, notifications }: Options,
): Configure {
  const { clientId, secret: clientSecret } = DIRECTORY_READER;
  const told = { notifications: { url: `${address}/api/entra-access/v1/notifications` } };
  const directory = { poll, ...(notifications ? told : {}) };
  return ({ name, baseUrl, port }) => ({
    app: { title: `Soak, ${name}`, baseUrl },
    backend: {
      baseUrl,
      listen: { host: '127.0.0.1', port },
      database: { client: 'pg', connection },
    },
    permission: { enabled: true },
    auth: { providers: { entra: {} } },
    entraAccess: {
      tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
      clouds: { lab: { authority: tenant.authority, graph: `${tenant.authority}/graph` } },
      groups: {
        source: 'graph',
        graph: { clientId, clientSecret, staleAfter: STALE_AFTER_SECONDS, directory },
      },
      policy: {
        rules: [
          { id: 'team', effect: 'allow', permissions: ['catalog.entity.refresh'], principals: [{ group: TEAM }] },
          { id: 'all-ask', effect: 'allow', permissions: ['entra-access.whoami.read'] },
        ],
      },
    },
  });
}
