import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The files that `--config FILE` and `--config=FILE` name, in order, as Backstage reads them */
export function configFiles(argv: readonly string[]): string[] {
  return argv.flatMap((word, at) => (word === '--config' ? argv[at + 1] : /^--config=(.+)$/.exec(word)?.[1]) ?? []);
}

/** A file that the configuration names, and where it was looked for */
export function findFile(file: string, argv: readonly string[]): { found?: string; folders: string[] } {
  const folders = [...new Set(folderOrder(argv, process.cwd()))];
  const found = folders.map(folder => resolve(folder, file)).find(candidate => existsSync(candidate));
  return { found, folders };
}

/** Paths are relative to the configuration file that names them, as with Backstage's own `$file` */
function folderOrder(argv: readonly string[], cwd: string): string[] {
  return [...configFiles(argv).map(file => dirname(resolve(cwd, file))), cwd, ...defaultConfigFolder(cwd)];
}

/** Where Backstage finds its configuration without `--config`: yarn starts a backend in packages/backend, below it */
function defaultConfigFolder(folder: string): string[] {
  if (existsSync(join(folder, 'app-config.yaml'))) return [folder];
  const parent = dirname(folder);
  return parent === folder ? [] : defaultConfigFolder(parent);
}
