import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeast, channelOf, lockedVersion, parseVersion, rustVersionOf } from './versions.mjs';

test('a version is found in what tools print', () => {
  assert.deepEqual(parseVersion('wasm-bindgen 0.2.130'), [0, 2, 130]);
  assert.deepEqual(parseVersion('rustc 1.95.0 (59807616e 2026-04-14)'), [1, 95, 0]);
  assert.deepEqual(parseVersion('1.88'), [1, 88, 0]);
  assert.equal(parseVersion('none'), undefined);
  assert.equal(parseVersion(undefined), undefined);
});

test('versions compare as numbers', () => {
  assert.ok(atLeast('v20.9.0', '>=20'));
  assert.ok(!atLeast('v18.20.0', '>=20'));
  assert.ok(atLeast('1.100.0', '1.88'));
  assert.ok(!atLeast('1.9.0', '1.88'));
  assert.ok(atLeast('0.13.0', '0.13.0'));
  assert.ok(!atLeast(undefined, '1.0'));
});

test('the files that carry versions', () => {
  assert.equal(rustVersionOf('[package]\nname = "x"\nrust-version = "1.88"\n'), '1.88');
  assert.equal(channelOf('[toolchain]\nchannel = "stable"\n'), 'stable');
  const lock = '[[package]]\nname = "wasm-bindgen-futures"\nversion = "0.4.1"\n\n[[package]]\nname = "wasm-bindgen"\nversion = "0.2.130"\n';
  assert.equal(lockedVersion(lock, 'wasm-bindgen'), '0.2.130');
  assert.equal(lockedVersion(lock, 'serde'), undefined);
});
