import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { CATALOG, healthyConfig } from '../../e2e/support/doctor';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from '../core';
import { GroupResolver } from '../graph';
import { readSettings } from '../service/configuration';
import { BackgroundChecks } from './checks';

let tenant: Tenant;
let config: ReturnType<typeof healthyConfig>;
let logger: RecordingLogger;

before(async () => {
  tenant = await startTenant();
});
beforeEach(() => {
  tenant.faults.jwks = undefined;
  config = healthyConfig(tenant);
  delete config.entraAccess.pipelines;
  logger = new RecordingLogger();
});
after(() => tenant.close());

function checks(directory: unknown = { report: CATALOG, groups: async () => (CATALOG as any).groups }) {
  const reader = { getOptional: (path = '') => path.split('.').reduce<any>((at, key) => at?.[key], config) };
  const { json, graph } = readSettings(reader, []);
  const core = new EntraCore({ configuration: json, logger });
  const graphClients = new GroupResolver({ issuers: core.issuers, settings: graph!, logger }).clients;
  core.close();
  const policy = {
    place: 'policy',
    json: JSON.stringify({ rules: [{ id: 'a', effect: 'allow', permissions: ['catalog.entity.read'] }] }),
  };
  const away = async () => Promise.reject(new Error('away'));
  const auth = { getOwnServiceCredentials: away };
  return new BackgroundChecks({
    ...{ config: reader, directory, auth, discovery: {}, logger },
    entraAccess: { graphClients, policy },
  } as unknown as ConstructorParameters<typeof BackgroundChecks>[0]);
}

test('before the first run nothing is known, and afterwards what was found', async () => {
  const background = checks();
  assert.deepEqual(background.state, { ranAt: null, worst: null, findings: [] });
  await background.run();
  const { ranAt, worst, findings } = background.state;
  assert.ok(Date.parse(ranAt!) > 0);
  assert.equal(worst, 'skipped', JSON.stringify(findings.filter(({ outcome }) => outcome !== 'ok')));
  assert.deepEqual(
    findings.filter(({ outcome }) => outcome !== 'ok').map(({ check, about }) => [check, about]),
    [['policy.plugins', 'plugin catalog']],
  );
  assert.deepEqual(logger.complaints, [], 'what was skipped is no complaint');
});

test('a finding is logged once, until it is gone', async () => {
  const background = checks();
  tenant.faults.jwks = 'unavailable';
  await background.run();
  await background.run();
  assert.equal(background.state.worst, 'error');
  assert.equal(logger.complaints.length, 1);
  assert.match(logger.complaints[0]!, /^error: check issuer\.keys \(entra-v2:.*answered 503.*; ask for the address/);
  tenant.faults.jwks = undefined;
  await background.run();
  assert.match(logger.lines.at(-1)!, /^info: 1 findings of the checks are gone/);
  tenant.faults.jwks = 'unavailable';
  await background.run();
  assert.equal(logger.complaints.length, 2, 'it is back');
});

test('a file that is gone since the start is a finding, and a catalog that was not read is no empty one', async () => {
  const background = checks({ report: undefined, groups: async () => assert.fail() });
  await background.run();
  const { findings } = background.state;
  assert.ok(findings.some(({ check, outcome }) => check === 'groups.catalog' && outcome === 'skipped'));
  const { clientId } = config.entraAccess.groups.graph;
  config.entraAccess.groups.graph = { clientId, certificate: './gone.pem' };
  await background.run();
  assert.deepEqual(
    background.state.findings.map(({ check, outcome }) => [check, outcome]),
    [['configuration', 'error']],
  );
});

test('a catalog that fails does not keep the rest from being checked', async () => {
  const groups = async () => Promise.reject(new Error('secret of the database'));
  const background = checks({ report: CATALOG, groups });
  await background.run();
  const found = background.state.findings.find(({ check }) => check === 'groups.catalog')!;
  assert.deepEqual([found.outcome, found.what], ['warning', 'the check could not be made: Error']);
  assert.ok(background.state.findings.length > 10);
  assert.ok(!logger.lines.join().includes('secret of the database'));
});

test('after its end nothing is checked any more, and nobody waits for a catalog', async () => {
  const background = checks({ report: undefined });
  background.close();
  await background.catalogFilled();
  await background.run();
  assert.equal(background.state.ranAt, null);
});
