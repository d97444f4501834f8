// What a step depends on, as one digest of file contents: dates lie after a checkout or a copy.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every file below the given files and folders, sorted; what does not exist is left out. */
export function filesBelow(root, paths, keep = () => true) {
  const found = [];
  const visit = path => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) readdirSync(path).forEach(name => visit(join(path, name)));
    else if (keep(path)) found.push(relative(root, path));
  };
  paths.forEach(path => visit(join(root, path)));
  return found.sort();
}

export function contentHash(root, paths, { keep, also = [] } = {}) {
  const hash = createHash('sha256');
  for (const text of also) hash.update(`${text}\0`);
  for (const file of filesBelow(root, paths, keep)) {
    const content = readFileSync(join(root, file));
    // Lengths keep "ab"+"c" and "a"+"bc" apart.
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
