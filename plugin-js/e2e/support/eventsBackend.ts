/** Run as a process of its own: the backend together with Backstage's events backend, which carries events to other replicas */
import eventsBackend from '@backstage/plugin-events-backend';
import { startBackend } from '../../dev/startBackend';

async function main(): Promise<void> {
  const backend = await startBackend(process.argv.slice(2), [eventsBackend]);
  const stop = () => void backend.stop().finally(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch(error => {
  process.stderr.write(`\nthe backend did not start: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
