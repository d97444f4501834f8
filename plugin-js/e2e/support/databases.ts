/** Databases of the plugin as Backstage makes them */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseManager } from '@backstage/backend-defaults/database';
import type { DatabaseService, LifecycleService, RootLifecycleService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { RecordingLogger } from './logger';

type Connection = string | Record<string, string | number>;

/** The database of the plugin, and what ends its connections */
export async function databaseOf(client: 'better-sqlite3' | 'pg', connection: Connection) {
  const config = new ConfigReader({ backend: { database: { client, connection } } });
  const lifecycle: LifecycleService = { addStartupHook: () => undefined, addShutdownHook: () => undefined };
  const hooks: Array<() => void | Promise<void>> = [];
  const rootLifecycle: RootLifecycleService = {
    ...lifecycle,
    addShutdownHook: hook => hooks.push(hook),
    addBeforeShutdownHook: () => undefined,
  };
  const deps = { logger: new RecordingLogger(), lifecycle };
  const manager = DatabaseManager.fromConfig(config, { rootLifecycle });
  const service: DatabaseService = manager.forPlugin('entra-access', deps);
  const knex = await service.getClient();
  const close = async () => {
    // Ends its timer; the pool it leaves open (see dev/databases.ts).
    await Promise.all(hooks.map(hook => hook()));
    await knex.destroy();
  };
  return { service, knex, close };
}

/** A folder for SQLite files */
export function databaseFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'entra-access-databases-'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
