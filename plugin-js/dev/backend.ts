/**
 * A real Backstage backend with every feature of the plugin and no simulator: `npm run backend -- --config FILE`.
 * Not part of the published package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { configFiles } from '../src/service/configFiles';
import { startBackend } from './startBackend';

const USAGE = 'name a configuration: npm run backend -- --config FILE [--config FILE]';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const files = configFiles(args);
  if (files.length === 0) throw new Error(USAGE);
  files.forEach(check);
  const backend = await startBackend(args);
  const stop = () => void backend.stop().finally(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch(error => {
  process.stderr.write(`\nthe backend did not start: ${reasonOf(error)}\n`);
  process.exit(1);
});

/** Backstage's own message about a file that is no YAML does not name the file */
function check(file: string): void {
  if (!existsSync(file)) throw new Error(`${file}: there is no such file; ${USAGE}`);
  const [mistake] = parseDocument(readFileSync(file, 'utf8')).errors;
  if (mistake) throw new Error(`${file}: ${mistake.message}`);
}

/** One line. Backstage reports every feature that failed; what has to be changed is the mistake that all trace back to */
function reasonOf(error: unknown): string {
  const found = trace(error);
  const mistake = found.find(each => 'code' in each && each.code === 'config_invalid');
  const message = mistake?.message ?? innermost(found.at(-1)?.message ?? String(error));
  return message.split('\n', 1)[0]?.replace(/:$/, '') ?? '';
}

/** Backstage writes what failed around the reason, service by service, into one text */
function innermost(message: string): string {
  return message.replace(/^.*(?:, |; caused by )\w*Error: /s, '');
}

/** The error and everything inside it, from the outermost to the innermost */
function trace(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const { result } = error as { result?: { plugins?: Started[] } };
  const started = (result?.plugins ?? []).flatMap(plugin => [plugin, ...plugin.modules]);
  return [error, ...[error.cause, ...started.map(({ failure }) => failure?.error)].flatMap(trace)];
}

/** As in Backstage's `BackendStartupError`, which no package exports */
interface Started {
  failure?: { error: Error };
  modules: Array<{ failure?: { error: Error } }>;
}
