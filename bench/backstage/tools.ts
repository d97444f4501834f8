/** Where `scripts/bench-backstage.mjs` installs what `package.json` of this folder names: nobody else's `npm ci` pays for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const TOOLS = join(__dirname, '..', '..', '.tools', 'bench-backstage');

/** Of a package there, as installed */
export function toolVersion(name: string): string {
  return JSON.parse(readFileSync(join(TOOLS, 'node_modules', name, 'package.json'), 'utf8')).version;
}
