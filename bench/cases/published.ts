/** Modules of the plugin as published (`plugin-js/dist`), so that what is measured is what is installed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type * as Service from '../../plugin-js/src/service/entraAccess';
import { HOME_TENANT_ID } from '../../plugin-js/dev/tenant/tenantIds';
import { recordOf } from '../../plugin-js/e2e/support/core';
import type { EntraAccess } from '../../plugin-js/src/service/entraAccess';
import type { Principal } from '../../plugin-js/src/core';

export const DIST = join(__dirname, '..', '..', 'plugin-js', 'dist');

/** `path` below `dist`, without its ending */
export function published<Module>(path: string): Module {
  const file = join(DIST, `${path}.js`);
  if (!existsSync(file)) throw new Error('the plugin is not built: run `node scripts/setup.mjs`');
  return require(file) as Module;
}

/** What is wrong must not pass unseen */
const logger: LoggerService = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: message => assert.fail(message),
  child: () => logger,
};

/** What all features of the plugin share, with a policy and without a database: sessions are in memory */
export function makeEntraAccess(rules: readonly unknown[]): EntraAccess {
  const { EntraAccess } = published<typeof Service>('service/entraAccess');
  const json = JSON.stringify({
    tenants: [{ tenantId: HOME_TENANT_ID, audiences: ['00000000-0000-4000-8000-000000000001'] }],
    policy: { rules: [] },
  });
  return new EntraAccess({ json, policy: { json: JSON.stringify({ rules }), place: 'bench' } }, logger);
}

export const IN_A_DAY = Math.floor(Date.now() / 1000) + 24 * 3600;

/** A signed-in person who is in these Entra groups */
export function personOf(objectId: string, ids: string[]): Principal {
  return recordOf({ objectId, groups: { state: 'known', ids }, expiresAt: IN_A_DAY });
}
