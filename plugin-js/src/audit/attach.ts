import type {
  AuditorService,
  DatabaseService,
  LifecycleService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import type { EntraAccess } from '../service/entraAccess';
import { BackstageEvents } from './events';
import { nameOwnCheckpoint, pruneAudit } from './retention';
import { AuditStore } from './store';

/** How often the head of the chain is told to Backstage's auditor */
const HEAD_SECONDS = 60;
/** How often records whose time is over are removed */
const PRUNE_HOURS = 1;

/** Connects the audit trail with the plugin's database, its scheduler and Backstage's auditor */
export async function attachAudit({
  auditor,
  database,
  entraAccess: { audit },
  lifecycle,
  scheduler,
}: {
  auditor: AuditorService;
  database: DatabaseService;
  entraAccess: EntraAccess;
  lifecycle: LifecycleService;
  scheduler: SchedulerService;
}): Promise<AuditStore> {
  const store = await AuditStore.open(database);
  const events = new BackstageEvents(auditor);
  await audit.attach(store, rows => events.recorded(rows));
  lifecycle.addShutdownHook(async () => {
    await audit.close();
    await events.head(audit);
  });
  lifecycle.addStartupHook(async () => {
    await scheduler.scheduleTask({
      id: 'tell-audit-head',
      scope: 'local',
      frequency: { seconds: HEAD_SECONDS },
      timeout: { minutes: 1 },
      fn: () => events.head(audit),
    });
    const { retentionDays } = audit.state;
    if (retentionDays === undefined) return;
    await scheduler.scheduleTask({
      id: 'name-own-audit-checkpoint',
      scope: 'local',
      frequency: { hours: PRUNE_HOURS },
      timeout: { minutes: 1 },
      fn: () => nameOwnCheckpoint(store, audit, retentionDays),
    });
    await scheduler.scheduleTask({
      id: 'prune-audit',
      scope: 'global',
      frequency: { hours: PRUNE_HOURS },
      timeout: { minutes: 30 },
      fn: async signal => void (await pruneAudit(store, audit, retentionDays, signal)),
    });
  });
  return store;
}
