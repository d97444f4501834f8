/** What is published: whoever installs the package gets what it imports, and nothing that it does not */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

const PACKAGE = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));

/** The names of all packages in the built files, their types included */
function imported(): Set<string> {
  const dist = join(PACKAGE, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => /\.(?:js|d\.ts)$/.test(name));
  assert.ok(files.length > 100, 'run node scripts/setup.mjs');
  const names = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(dist, file), 'utf8').replaceAll(/\/\*.*?\*\//gs, '');
    for (const [, path = ''] of text.matchAll(/(?:from|import\(|require\()\s*["']([^."'][^"']*)/g)) {
      const [name = ''] = /^(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
      if (!isBuiltin(path)) names.add(name);
    }
  }
  return names;
}

test('every package that is imported is declared, and the other way round', () => {
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  assert.deepEqual([...imported()].sort(), declared.sort());
});

test('what the manifest names is there', () => {
  const targets = Object.values<any>(manifest.exports).flatMap(entry =>
    typeof entry === 'string' ? [entry] : Object.values<string>(entry),
  );
  const types = Object.values<string[]>(manifest.typesVersions['*']).flat();
  const { main, bin, configSchema } = manifest;
  for (const path of [...targets, ...types, main, manifest.types, bin['entra-access'], configSchema, 'migrations']) {
    assert.ok(existsSync(join(PACKAGE, path)), path);
  }
});

test('each subpath is a feature, for import and for type resolution', () => {
  const subpaths = Object.keys(manifest.exports).filter(path => path.startsWith('./') && path !== './package.json');
  for (const subpath of subpaths) {
    const feature = require(join(PACKAGE, manifest.exports[subpath].default)).default;
    assert.equal(feature.$$type, '@backstage/BackendFeature', subpath);
    assert.ok(manifest.typesVersions['*'][subpath.slice(2)], subpath);
  }
});
