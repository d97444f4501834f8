import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigReader } from '@backstage/config';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { readConfiguration } from './configuration';
import { EntraAccess } from './entraAccess';
import { staticLocations } from './staticLocations';

const of = (locations: unknown, integrations = {}) =>
  staticLocations(new ConfigReader({ catalog: { locations }, integrations } as never));

test('nothing named is nothing trusted', () => {
  assert.deepEqual(staticLocations(new ConfigReader({})), []);
  assert.deepEqual(of([]), []);
});

test('a file is named from the working directory and read where that is', () => {
  const absolute = `file:${resolve('catalog/org.yaml')}`;
  assert.deepEqual(of([{ type: 'file', target: 'catalog/../catalog/org.yaml' }]), [
    { location: absolute, origin: absolute },
  ]);
});

test('a URL is read as its host resolves it', () => {
  const [github, plain] = of(
    [
      { type: 'url', target: 'https://github.com/org/repo/blob/main/org.yaml' },
      { type: 'url', target: 'https://files.example.com/org.yaml' },
    ],
    { github: [{ host: 'github.com' }] },
  );
  assert.deepEqual(github, {
    location: 'url:https://github.com/org/repo/tree/main/org.yaml',
    origin: 'url:https://github.com/org/repo/blob/main/org.yaml',
  });
  const same = 'url:https://files.example.com/org.yaml';
  assert.deepEqual(plain, { location: same, origin: same });
});

test('another type is taken as it is', () => {
  assert.deepEqual(of([{ type: 'vault', target: 'x' }]), [{ location: 'vault:x', origin: 'vault:x' }]);
});

test('what is named, and what is listed, is trusted from the start', () => {
  const section = JSON.parse(configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId }));
  const catalog = { locations: [{ type: 'file', target: '/etc/org.yaml' }] };
  const config = { catalog, entraAccess: { ...section, catalog: { trustedLocations: ['ldap:'] } } };
  const { core } = new EntraAccess(readConfiguration(new ConfigReader(config)), new RecordingLogger());
  for (const [location, trusted] of [
    ['file:/etc/org.yaml', true],
    ['ldap:corp/1', true],
    ['msgraph:production/1', true],
    ['file:/etc/other.yaml', false],
    ['', false],
  ] as const) {
    assert.equal(core.trustsLocation({ location, origin: location }), trusted, location);
    assert.equal(core.trustsLocation({ location, origin: 'url:https://git.example.com/x.yaml' }), false, location);
  }
  assert.equal(core.trustsLocation({}), false);
  core.close();
});
