import { randomUUID } from 'node:crypto';
import { coreServices, createBackendPlugin, type LifecycleService } from '@backstage/backend-plugin-api';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { registerActions } from '../actions/actions';
import { actionsRegistryRef } from '../actions/registryRef';
import { attachAudit } from '../audit/attach';
import { Following } from '../follow/following';
import { groupsNamed } from '../follow/wanted';
import { ROUTES } from '../openapi/routes';
import { CATALOG_CHANGED } from '../service/catalogChanges';
import { entraAccessServiceRef } from '../service/ref';
import { SessionStore } from '../service/sessionStore';
import { STILL_OURS_SECONDS } from '../service/sharedSessions';
import { attachTelemetry } from '../telemetry/metrics';
import { metricsRef, tracingRef } from '../telemetry/refs';
import { callerLimits } from './callerLimit';
import { BackgroundChecks } from './checks';
import { CatalogDirectory } from './directory';
import { StoredDirectoryNumbers } from './directoryNumbers';
import { PermissionLookup } from './permissionLookup';
import { Explanations } from './explanations';
import { entraAccessPermissions } from './permissions';
import { Questions } from './questions';
import { ResourceRules } from './resourceRules';
import { createRouter } from './router';

/** How often the catalog is asked for groups and owners */
const REFRESH_SECONDS = 15;
/** How often each replica looks whether another has a newer directory */
const CATCH_UP_MS = 2_000;
/** Seconds for which an empty directory is looked at every second */
const FIRST_MINUTE = 60;
/** How often the configuration and what it hangs on are checked */
const CHECK_HOURS = 6;
/** Most expired rows removed in one statement */
const EXPIRED_AT_ONCE = 500;

/** The plugin `entra-access`: explanations, token inspector, status; and the directory from the catalog */
export const entraAccessPlugin = createBackendPlugin({
  pluginId: 'entra-access',
  register(env) {
    env.registerInit({
      deps: {
        actionsRegistry: actionsRegistryRef,
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
        metrics: metricsRef,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        scheduler: coreServices.scheduler,
        tracing: tracingRef,
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
        const { metrics, tracing } = deps;
        deps.lifecycle.addShutdownHook(attachTelemetry({ metrics, tracing, entraAccess, directory }));
        const wanted = () => {
          const named = groupsNamed(entraAccess.policy.json, deps.config.getOptional('entraAccess'));
          return directory.groupIds && new Set([...named, ...directory.groupIds]);
        };
        const following =
          entraAccess.follow && new Following({ ...deps, settings: entraAccess.follow, database, wanted });
        entraAccess.following = following && (() => following.states);
        entraAccess.directory.follow(async () => {
          await Promise.all([directory.catchUp(), following?.catchUp()]);
        });
        const notifications = following?.notifications;
        // Microsoft Graph has no token of ours: it proves itself by the secret of a subscription.
        if (notifications) {
          deps.httpRouter.addAuthPolicy({ path: ROUTES.receiveNotifications.path, allow: 'unauthenticated' });
        }
        const lookup = new PermissionLookup({ auth, discovery });
        const limits = callerLimits(entraAccess.limits, httpAuth);
        const resourceRules = new ResourceRules({ auth, discovery });
        const explanations = new Explanations({ entraAccess, catalog, resourceRules });
        const questions = new Questions({ entraAccess, lookup, explanations });
        const checks = new BackgroundChecks({ ...deps, directory });
        deps.lifecycle.addShutdownHook(() => checks.close());
        const shared = { entraAccess, questions, limits, permissions };
        deps.httpRouter.use(
          createRouter({ ...shared, directory, checks, discovery, httpAuth, auditStore, notifications }),
        );
        registerActions({ ...shared, registry: deps.actionsRegistry });

        // The same for everybody, and nothing of this backend is in it.
        deps.httpRouter.addAuthPolicy({ path: ROUTES.getOpenApi.path, allow: 'unauthenticated' });

        deps.lifecycle.addStartupHook(async () => {
          await following?.start();
          // In every replica: each holds its own directory.
          await deps.scheduler.scheduleTask({
            id: 'refresh-directory',
            scope: 'local',
            frequency: { seconds: REFRESH_SECONDS },
            timeout: { minutes: 5 },
            fn: () => directory.refreshInTurn(),
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
          // In every replica: each reaches the issuers by a way of its own. The backend listens already.
          await deps.scheduler.scheduleTask({
            id: 'checks',
            scope: 'local',
            frequency: { hours: CHECK_HOURS },
            timeout: { minutes: 10 },
            async fn() {
              await checks.catalogFilled();
              await checks.run();
            },
          });
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
