import { randomUUID } from 'node:crypto';
import { coreServices, createBackendPlugin, type LifecycleService } from '@backstage/backend-plugin-api';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { attachAudit } from '../audit/attach';
import { Following } from '../follow/following';
import { NOTIFICATIONS_PATH } from '../follow/notifications';
import { groupsNamed } from '../follow/wanted';
import { CATALOG_CHANGED } from '../service/catalogChanges';
import { entraAccessServiceRef } from '../service/ref';
import { SessionStore } from '../service/sessionStore';
import { STILL_OURS_SECONDS } from '../service/sharedSessions';
import { CatalogDirectory } from './directory';
import { StoredDirectoryNumbers } from './directoryNumbers';
import { PermissionLookup } from './permissionLookup';
import { entraAccessPermissions } from './permissions';
import { createRouter } from './router';

/** How often the catalog is asked for groups and owners */
const REFRESH_SECONDS = 15;
/** How often each replica looks whether another has a newer directory */
const CATCH_UP_MS = 2_000;
/** Seconds for which an empty directory is looked at every second */
const FIRST_MINUTE = 60;
/** Most expired rows removed in one statement */
const EXPIRED_AT_ONCE = 500;

/** The plugin `entra-access`: explanations, token inspector, status; and the directory from the catalog */
export const entraAccessPlugin = createBackendPlugin({
  pluginId: 'entra-access',
  register(env) {
    env.registerInit({
      deps: {
        auditor: coreServices.auditor,
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        database: coreServices.database,
        discovery: coreServices.discovery,
        entraAccess: entraAccessServiceRef,
        events: eventsServiceRef,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        scheduler: coreServices.scheduler,
      },
      async init(deps) {
        const { auth, catalog, discovery, entraAccess, httpAuth, logger, permissions } = deps;
        deps.permissionsRegistry.addPermissions(entraAccessPermissions);
        const store = await SessionStore.open(deps.database);
        await entraAccess.sessions.attach(store);
        deps.lifecycle.addShutdownHook(() => entraAccess.sessions.close());
        const auditStore = await attachAudit(deps);
        const database = await deps.database.getClient();
        const numbers = new StoredDirectoryNumbers(database);
        const directory = new CatalogDirectory({ entraAccess, catalog, auth, numbers, logger });
        const wanted = () => {
          const named = groupsNamed(entraAccess.policyText, deps.config.getOptional('entraAccess'));
          return directory.groupIds && new Set([...named, ...directory.groupIds]);
        };
        const following =
          entraAccess.follow && new Following({ ...deps, settings: entraAccess.follow, database, wanted });
        entraAccess.following = following && (() => following.states);
        entraAccess.directory.follow(() => directory.catchUp());
        if (following) entraAccess.membership.follow(() => following.catchUp());
        const lookup = new PermissionLookup({ auth, discovery });
        const notifications = following?.router;
        if (notifications) {
          // Microsoft Graph has no token of ours: it proves itself by the secret of a subscription.
          deps.httpRouter.addAuthPolicy({ path: NOTIFICATIONS_PATH, allow: 'unauthenticated' });
          deps.httpRouter.use(notifications);
        }
        deps.httpRouter.use(
          createRouter({ entraAccess, directory, lookup, catalog, httpAuth, permissions, auditStore }),
        );

        deps.lifecycle.addStartupHook(async () => {
          await following?.start();
          // In every replica: each holds its own directory.
          await deps.scheduler.scheduleTask({
            id: 'refresh-directory',
            scope: 'local',
            frequency: { seconds: REFRESH_SECONDS },
            timeout: { minutes: 5 },
            fn: () => directory.refresh(),
          });
          untilFilled(directory, deps.lifecycle);
          await deps.events.subscribe({
            // One of its own for each replica: subscribers of one id share their events.
            id: `directory-${randomUUID()}`,
            topics: [CATALOG_CHANGED],
            onEvent: () => directory.refreshAnew(),
          });
          const catchUp = setInterval(() => void directory.catchUp(), CATCH_UP_MS);
          catchUp.unref();
          deps.lifecycle.addShutdownHook(() => clearInterval(catchUp));
          // In one replica: they all use the same rows.
          await deps.scheduler.scheduleTask({
            id: 'remove-expired-sessions',
            scope: 'global',
            frequency: { minutes: 10 },
            timeout: { minutes: 5 },
            async fn(signal) {
              await removeExpired(store, signal);
              await removeExpired(store.usedTokens, signal);
            },
          });
        });
      },
    });
  },
});

/** In small steps, so that sign-ins need not wait for it */
async function removeExpired(rows: Pick<SessionStore, 'removeExpired'>, signal: AbortSignal): Promise<void> {
  // Whoever looks right after the end of a sign-in must find that there was one.
  const now = Math.floor(Date.now() / 1000) - STILL_OURS_SECONDS;
  while (!signal.aborted && (await rows.removeExpired(now, EXPIRED_AT_ONCE)) === EXPIRED_AT_ONCE);
}

/** A catalog that has just started fills within seconds: until it has groups, look often */
function untilFilled(directory: CatalogDirectory, lifecycle: LifecycleService): void {
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    if (looks > FIRST_MINUTE || directory.report?.groups) clearInterval(timer);
    else void directory.refresh();
  }, 1_000);
  timer.unref();
  lifecycle.addShutdownHook(() => clearInterval(timer));
}
