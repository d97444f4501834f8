import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** The goal: the core stays below 400 kB, so that it loads within a backend's start unnoticed. Raise it only on purpose. */
const MOST_BYTES = 400_000;
const PKG = join(__dirname, '..', 'plugin-js', 'pkg');

test(`the WebAssembly of the core has at most ${MOST_BYTES} bytes`, () => {
  const modules = readdirSync(PKG).filter(name => name.endsWith('.wasm'));
  assert.equal(modules.length, 1);
  const { size } = statSync(join(PKG, modules[0]!));
  assert.ok(size <= MOST_BYTES, `${size} bytes, ${size - MOST_BYTES} too many`);
});
