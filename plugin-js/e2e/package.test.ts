/** What is published: whoever installs the package gets what it imports, and nothing that it does not */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
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
    for (const [, path = ''] of text.matchAll(/\b(?:from|import\(|require\()\s*["']([^."'][^"']*)/g)) {
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

const subpaths = Object.keys(manifest.exports).filter(path => path.startsWith('./') && path !== './package.json');
/** For the app and for other backends */
const CLIENT = './client';

test('each subpath but the client is a feature, for import and for type resolution', () => {
  for (const subpath of subpaths.filter(path => path !== CLIENT)) {
    const feature = require(join(PACKAGE, manifest.exports[subpath].default)).default;
    assert.equal(feature.$$type, '@backstage/BackendFeature', subpath);
    assert.ok(manifest.typesVersions['*'][subpath.slice(2)], subpath);
  }
});

test('the client loads nothing of the backend: no core, no Express, no schemas', () => {
  const path = join(PACKAGE, manifest.exports[CLIENT].default);
  const script = `new (require(${JSON.stringify(path)}).EntraAccessClient)({}); console.log(Object.keys(require.cache).join('\\n'))`;
  const loaded = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim().split('\n');
  const ours = loaded.filter(file => file.startsWith(join(PACKAGE, 'dist'))).map(file => relative(PACKAGE, file));
  assert.deepEqual(ours.sort(), ['dist/client/client.js', 'dist/client/index.js', 'dist/openapi/routes.js']);
  const packages = loaded
    .filter(file => file.includes('node_modules'))
    .filter(file => !/@backstage.errors|@backstage.types/.test(file));
  assert.deepEqual(
    packages.filter(file => /express|zod|backend/.test(file)),
    [],
  );
  assert.ok(manifest.typesVersions['*'].client);
});
