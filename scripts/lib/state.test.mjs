// Hash, stamp, lock and the comparison of node modules, on real folders.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentHash } from './hash.mjs';
import { holder, withLock } from './lock.mjs';
import { missingModules } from './modules.mjs';
import { isStamped, nextFolder, replaceFolder, stamp, unstamp } from './stamp.mjs';

const DEAD_PID = 2 ** 22 + 1;

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'scripts-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('the hash follows contents and names, not dates', t => {
  const dir = folder(t);
  mkdirSync(join(dir, 'src'));
  writeFileSync(join(dir, 'src', 'a'), 'one');
  const first = contentHash(dir, ['src', 'absent']);
  utimesSync(join(dir, 'src', 'a'), 1, 1);
  assert.equal(contentHash(dir, ['src']), first);
  writeFileSync(join(dir, 'src', 'a'), 'two');
  assert.notEqual(contentHash(dir, ['src']), first);
  writeFileSync(join(dir, 'src', 'a'), 'one');
  writeFileSync(join(dir, 'src', 'b'), '');
  assert.notEqual(contentHash(dir, ['src']), first);
});

test('a stamp holds for its digest only', t => {
  const dir = join(folder(t), 'stamps');
  assert.ok(!isStamped('x', 'd1', dir));
  stamp('x', 'd1', dir);
  assert.ok(isStamped('x', 'd1', dir));
  assert.ok(!isStamped('x', 'd2', dir));
  unstamp('x', dir);
  assert.ok(!isStamped('x', 'd1', dir));
});

test('a finished folder takes the place of the old one whole', t => {
  const dir = folder(t);
  const pkg = join(dir, 'pkg');
  mkdirSync(pkg);
  writeFileSync(join(pkg, 'old'), '');
  mkdirSync(join(dir, '.pkg-next-1'));
  const next = nextFolder(pkg);
  mkdirSync(next);
  writeFileSync(join(next, 'new'), '');
  replaceFolder(next, pkg);
  assert.deepEqual(readdirSync(dir), ['pkg']);
  assert.deepEqual(readdirSync(pkg), ['new']);
});

test('only one at a time holds the lock, and it is given back after a failure', async t => {
  const path = join(folder(t), 'lock');
  await assert.rejects(withLock(() => Promise.reject(new Error('no')), path), /no/);
  await withLock(async () => assert.equal(readFileSync(path, 'utf8'), String(process.pid)), path);
  assert.ok(!existsSync(path));
});

test('the lock of a dead or silent process is taken over', async t => {
  const path = join(folder(t), 'lock');
  writeFileSync(path, String(DEAD_PID));
  assert.equal(holder(path), 'stale');
  assert.equal(await withLock(async () => 'mine', path), 'mine');

  writeFileSync(path, String(process.ppid));
  assert.equal(holder(path), process.ppid);
  assert.equal(holder(path, Date.now() + 10 * 60_000), 'stale');
});

test('missing and outdated modules are found, optional ones may be absent', () => {
  const lock = JSON.stringify({
    packages: {
      '': {},
      'plugin-js': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/c-darwin': { version: '1.0.0', optional: true },
      'plugin-js/node_modules/a': { version: '2.0.0' },
    },
  });
  const installed = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '0.9.0' } };
  const missing = () => missingModules(lock, JSON.stringify({ packages: installed })).sort();
  assert.deepEqual(missing(), ['node_modules/b', 'plugin-js/node_modules/a']);
  installed['node_modules/b'].version = '1.0.0';
  installed['plugin-js/node_modules/a'] = { version: '2.0.0' };
  assert.deepEqual(missing(), []);
});
