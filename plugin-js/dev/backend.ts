/**
 * A real Backstage backend with every feature of the plugin and no simulator: `npm run backend -- --config FILE`.
 * Not part of the published package.
 */
import { startBackend } from './startBackend';

const USAGE = 'name a configuration: npm run backend -- --config FILE [--config FILE]';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (!args.some(word => word === '--config' || word.startsWith('--config='))) throw new Error(USAGE);
  const backend = await startBackend(args);
  const stop = () => void backend.stop().finally(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch(error => {
  process.stderr.write(`\nthe backend did not start: ${deepest(error)}\n`);
  process.exit(1);
});

/** Backstage wraps the mistake in the plugins that it stopped: the innermost cause is what has to be changed */
function deepest(error: unknown): string {
  let found = error;
  while (found instanceof Error && (found.cause || innerErrors(found).length > 0)) {
    found = found.cause ?? innerErrors(found)[0];
  }
  return found instanceof Error ? found.message : String(found);
}

function innerErrors(error: Error): unknown[] {
  const { errors } = error as { errors?: unknown };
  return Array.isArray(errors) ? errors : [];
}
