/** A backend that follows the simulated tenant, as seen from inside: when a change has arrived */
import { createBackendPlugin } from '@backstage/backend-plugin-api';
import type { Environment } from '../../dev/story/environment';
import type { SimulatedDirectory } from '../../dev/tenant/directory';
import { HOME_TENANT_ID } from '../../dev/tenant/tenantIds';
import { entraAccessServiceRef } from '../../src/service/ref';
import type { EntraAccess } from '../../src/service/entraAccess';
import { directoryGroups } from './follow';

const WITHIN_MS = 60_000;

export class Followed {
  #entraAccess?: EntraAccess;

  /** To be installed in the backend */
  readonly feature = createBackendPlugin({
    pluginId: 'followed',
    register: env => {
      env.registerInit({
        deps: { entraAccess: entraAccessServiceRef },
        init: async ({ entraAccess }) => {
          this.#entraAccess = entraAccess;
        },
      });
    },
  });

  get core(): EntraAccess['core'] {
    if (!this.#entraAccess) throw new Error('the backend has not started');
    return this.#entraAccess.core;
  }

  /** The section `groups`: nothing is asked for in time, so that whatever arrives was told by a notification */
  groups(baseUrl: string) {
    return directoryGroups(baseUrl, 3600, { staleAfter: 120 });
  }

  /** Until the tenant is known whole, and whoever follows it is told of changes */
  async ready({ tenant }: Environment): Promise<void> {
    await until('the tenant is known', () => this.core.freshness.states[0]?.stale === false);
    await until('changes are told', () =>
      [...tenant.subscriptions.values()].some(({ resource }) => resource === '/users'),
    );
  }

  /** Changes something in Entra, and waits until it has arrived */
  async change({ tenant }: Environment, change: (directory: SimulatedDirectory) => void): Promise<void> {
    const { epoch } = this.core;
    const since = Math.floor(Date.now() / 1000);
    change(tenant.directory);
    // An epoch begins for other reasons, too: a round has to be complete since then, which is told last.
    const isWhole = () => (this.core.freshness.states[0]?.completedAt ?? 0) >= since;
    await until('the change arrives', () => this.core.epoch > epoch && isWhole());
  }

  /** Says that nothing was known whole since then */
  completedAt(seconds: number): void {
    this.core.freshness.set(HOME_TENANT_ID, seconds);
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + WITHIN_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${WITHIN_MS / 1000} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
