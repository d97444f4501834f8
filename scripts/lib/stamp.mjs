// A stamp says: this step ended well for inputs with this digest.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { STAMPS } from './paths.mjs';

export function stamped(name, dir = STAMPS) {
  try {
    return readFileSync(join(dir, name), 'utf8');
  } catch {
    return undefined;
  }
}

export const isStamped = (name, digest, dir = STAMPS) => stamped(name, dir) === digest;

export function stamp(name, digest, dir = STAMPS) {
  mkdirSync(dir, { recursive: true });
  // Written whole or not at all: a reader never sees half a digest.
  const next = join(dir, `${name}.${process.pid}`);
  writeFileSync(next, digest);
  renameSync(next, join(dir, name));
}

export const unstamp = (name, dir = STAMPS) => rmSync(join(dir, name), { force: true });

/**
 * A folder to build into, for `replaceFolder`. Beside the real one: a rename is atomic only within one file system, and
 * the relative paths in source maps stay right only at the same depth. Its own for every process: a compiler that
 * outlives a killed set-up must not write into the next one's.
 */
export function nextFolder(place) {
  const prefix = `.${basename(place)}-next-`;
  for (const name of readdirSync(dirname(place))) {
    if (name.startsWith(prefix)) rmSync(join(dirname(place), name), { recursive: true, force: true });
  }
  return join(dirname(place), `${prefix}${process.pid}`);
}

/** Puts a finished folder in the place of the old one. */
export function replaceFolder(next, place) {
  const old = `${next}-old`;
  rmSync(old, { recursive: true, force: true });
  try {
    renameSync(place, old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(next, place);
  rmSync(old, { recursive: true, force: true });
}
