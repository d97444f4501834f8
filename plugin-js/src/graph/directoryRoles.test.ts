import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { workloads } from '../../dev/tenant/applications';
import { directoryRoles } from '../../dev/tenant/graphDirectory';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, giveKeys } from '../../e2e/support/core';
import { graphOf, READER } from '../../e2e/support/graph';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from '../core';
import { createCredential } from './credential';
import { DirectoryRoles } from './directoryRoles';
import { GraphClient } from './graphClient';
import { GRAPH_LIMITS } from './limits';
import type { GraphSettings } from './settings';

const ROLE = directoryRoles.globalReader.id;
const POLICY = JSON.stringify({
  rules: [{ id: 'role-holders', effect: 'allow', permissions: ['a.b'], principals: [{ group: ROLE }] }],
});

let tenant: Tenant;
let core: EntraCore;
before(async () => {
  tenant = await startTenant();
  core = new EntraCore({ configuration: configurationOf(tenant), logger: new RecordingLogger() });
  core.setPolicy(POLICY, 'policy');
  await giveKeys(core, tenant);
});
afterEach(() => {
  tenant.faults.graph = undefined;
});
after(() => {
  core.close();
  return tenant.close();
});

function reader(logger: RecordingLogger, settings: GraphSettings = READER): DirectoryRoles {
  const graph = graphOf(tenant);
  const client = new GraphClient(graph, createCredential(settings, graph), { ...GRAPH_LIMITS, backoffMs: 1 });
  return new DirectoryRoles([{ graph, client }], core, logger);
}

function effect(): string {
  const answer = core.authenticate(tenant.mintAccessToken(people.adam, { claims: { groups: [ROLE] } }));
  assert.ok(answer.ok);
  return core.decide(answer.principal, { name: 'a.b' }).effect;
}

test('without the permission roles pass for groups, and that is shown once', async () => {
  const logger = new RecordingLogger();
  const { clientId, secret } = workloads.scanner;
  const roles = reader(logger, { kind: 'secret', clientId, secret });
  for (let round = 0; round < 3; round += 1) await roles.refresh();
  assert.equal(effect(), 'ALLOW');
  assert.match(roles.state(tenant.tenantId).error ?? '', /403 Authorization_RequestDenied/);
  assert.equal(logger.complaints.length, 1);
  assert.match(logger.complaints[0] ?? '', /directory roles .* could not be read.*they pass for groups/);
});

test('roles allow nothing, and what was read stays in force through an outage', async () => {
  const logger = new RecordingLogger();
  const roles = reader(logger);
  await roles.refresh();
  assert.equal(effect(), 'DENY');
  assert.deepEqual(roles.state(tenant.tenantId), { count: 2, error: undefined });
  assert.match(logger.complaints.join(), /a directory role is no group and allows nothing: .* `role-holders`/);
  const { epoch } = core;
  await roles.refresh();
  assert.equal(core.epoch, epoch, 'nothing has changed');
  for (const fault of ['unavailable', 'names', 'endlessPages', 'notThere'] as const) {
    tenant.faults.graph = fault;
    await roles.refresh();
    assert.equal(effect(), 'DENY', fault);
    assert.equal(roles.state(tenant.tenantId).count, 2);
    assert.ok(roles.state(tenant.tenantId).error);
  }
  roles.close();
});

test('without Graph a rule that names a role of the configuration is named in the log, once', async () => {
  const logger = new RecordingLogger();
  const configuration = JSON.parse(configurationOf(tenant));
  configuration.groups = { ...configuration.groups, directoryRoles: [ROLE] };
  const alone = new EntraCore({ configuration: JSON.stringify(configuration), logger });
  alone.setPolicy(POLICY, 'policy');
  const roles = new DirectoryRoles([], alone, logger);
  try {
    await roles.refresh();
    await roles.refresh();
    assert.equal(logger.complaints.length, 1);
    assert.match(logger.complaints[0] ?? '', /a directory role is no group and allows nothing: .* `role-holders`/);
  } finally {
    roles.close();
    alone.close();
  }
});

test('roles that the core could not take are told again soon', async t => {
  const graph = graphOf(tenant);
  const client = { pages: () => Promise.resolve([{ id: ROLE }]) } as unknown as GraphClient;
  const away = { setDirectoryRoles: () => ({ ok: false, error: 'restarting' }) } as unknown as EntraCore;
  const pauses: number[] = [];
  const waited = new Promise<void>(resolve => {
    t.mock.method(globalThis, 'setTimeout', (_: unknown, pause: number) => {
      pauses.push(pause);
      resolve();
      return { unref: () => undefined };
    });
  });
  const roles = new DirectoryRoles([{ graph, client }], away, new RecordingLogger());
  roles.start();
  await waited;
  roles.close();
  assert.ok(pauses.length === 1 && pauses[0]! <= 5 * 60_000, `again after ${pauses.join()} ms`);
});
