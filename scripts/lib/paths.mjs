// Where things are. Everything that a script makes lies in a folder that git ignores.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const STAMPS = join(ROOT, '.stamps');
export const LOGS = join(STAMPS, 'logs');
export const TOOLS = join(ROOT, '.tools');
export const NODE_BIN = join(ROOT, 'node_modules', '.bin');
export const CARGO_BIN = join(process.env.CARGO_HOME || join(homedir(), '.cargo'), 'bin');

export const PLUGIN = join(ROOT, 'plugin-js');
export const PKG = join(PLUGIN, 'pkg');
export const DIST = join(PLUGIN, 'dist');

export const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
