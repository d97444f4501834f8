/** Groups beyond the token against a real backend: overage, outage, nesting, workloads. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { parse } from 'yaml';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { OVERAGE_GRAPH } from '../dev/story/overageGraph';
import { workloads } from '../dev/tenant/applications';
import { directoryRoles } from '../dev/tenant/graphDirectory';
import { groups, people, type Principal } from '../dev/tenant/people';
import { untilChecked } from '../dev/story/checked';
import { graphRequests } from './support/graph';
import './support/conforms';

const ENTITY = 'component:default/payments-api';
const OVERAGE = { claims: { groups: undefined, hasgroups: true } };

/** Those of the story */
const RULES = (parse(readFileSync(join(__dirname, '../dev/story/policy.yaml'), 'utf8')) as { rules: object[] }).rules;

let environment: Environment;
let client: Client;

before(async () => {
  environment = await startEnvironment({
    configure(config) {
      const clients = [workloads.scanner, workloads.stranger].map(({ clientId }) => clientId);
      config.entraAccess.tenants[0].clients = clients;
      config.entraAccess.policy = {
        rules: [
          ...RULES,
          {
            id: 'role-holders',
            effect: 'allow',
            permissions: ['catalog.entity.refresh'],
            principals: [{ group: directoryRoles.globalReader.id }],
          },
          // Whom a rule is for that is not about them is told to whoever may read the policy.
          { id: 'policy-readers', effect: 'allow', permissions: ['entra-access.policy.read'] },
        ],
      };
      config.entraAccess.groups = {
        ...OVERAGE_GRAPH,
        workloads: [{ client: workloads.stranger.clientId, groups: [groups.payments.id] }],
      };
    },
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  // They ask Graph, too: what is counted here must come after them.
  await untilChecked(client, await signIn(people.adam));
});
afterEach(() => {
  environment.tenant.faults.graph = undefined;
});
after(() => environment?.stop());

function signIn(principal: Principal, options = {}): Promise<string> {
  return client.tokenFor(environment.tenant.mintAccessToken(principal, options));
}

/** Refreshes the entity, as its owners may: the status, and why */
async function refresh(token: string) {
  const { status } = await client.call('/api/catalog/refresh', token, { entityRef: ENTITY });
  const { body } = await client.explain(token, 'catalog.entity.refresh', ENTITY);
  assert.equal(status === 200, body.result === 'ALLOW', `${status}, explained as ${JSON.stringify(body)}`);
  return { allowed: status === 200, ...body };
}

async function canRead(token: string): Promise<boolean> {
  const { status } = await client.call('/api/catalog/entities/by-name/component/default/payments-api', token);
  return status === 200;
}

async function graphState() {
  const { body } = await client.call('/api/entra-access/v1/status', await signIn(people.adam));
  assert.equal(body.graph.length, 1);
  return body.graph[0];
}

test('an owner with 250 groups is allowed through Graph, which is asked once', async () => {
  const { tenantId } = environment.tenant;
  const idle = { tenant: tenantId, state: 'idle', lastSuccess: null, directoryRoles: { count: 2 } };
  assert.deepEqual(await graphState(), idle);
  const before = graphRequests(environment.tenant);
  const token = await signIn(people.otto);
  const { allowed, rule, groups: known } = await refresh(token);
  assert.deepEqual([allowed, rule], [true, 'owners-manage']);
  assert.deepEqual(known, { state: 'known', count: 251, matched: [groups.payments.id] });
  await signIn(people.otto);
  assert.equal(graphRequests(environment.tenant) - before, 1);
  const { body: me } = await client.call('/api/entra-access/v1/whoami', token);
  assert.deepEqual(me.groups, { state: 'known', count: 251 });
  assert.ok(me.owners.includes('group:default/payments'));
  const { state, lastSuccess } = await graphState();
  assert.equal(state, 'ok');
  assert.ok(Date.parse(lastSuccess) <= Date.now());
});

test('somebody with more than 11,000 groups is allowed as well', async () => {
  const { allowed, groups: known } = await refresh(await signIn(people.maxine));
  assert.deepEqual([allowed, known.count], [true, 11_251]);
});

test('while Graph is down, rules that need groups refuse and say why, and others answer; then no new sign-in is needed', async () => {
  environment.tenant.faults.graph = 'unavailable';
  // Two levels below the owning group.
  const token = await signIn(people.nina, OVERAGE);
  const denied = await refresh(token);
  assert.deepEqual([denied.allowed, denied.rule, denied.groups.state], [false, null, 'unknown']);
  assert.match(denied.groups.reason, /^groups_unknown: Microsoft Graph answered 503/);
  assert.ok(denied.reasons.includes(denied.groups.reason));
  assert.match(denied.reasons.join('\n'), /rule `owners-manage` does not match: .* are not known/);
  assert.equal(await canRead(token), true, 'everyone-reads needs no groups');
  const { body: me } = await client.call('/api/entra-access/v1/whoami', token);
  assert.match(me.groups.reason, /^groups_unknown: Microsoft Graph answered 503/);
  const failing = await graphState();
  assert.deepEqual([failing.state, failing.error], ['failing', 'Microsoft Graph answered 503']);

  environment.tenant.faults.graph = undefined;
  const deadline = Date.now() + 45_000;
  while ((await client.call('/api/catalog/refresh', token, { entityRef: ENTITY })).status !== 200) {
    assert.ok(Date.now() < deadline, JSON.stringify(await graphState()));
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  const { allowed, groups: known } = await refresh(token);
  assert.deepEqual([allowed, known.state, known.count], [true, 'known', 3]);
  assert.equal((await graphState()).state, 'ok');
});

test('a workload is allowed by the groups that Graph knows, another by those of the mapping', async () => {
  const before = graphRequests(environment.tenant);
  const mapped = await refresh(await signIn(workloads.stranger));
  assert.deepEqual([mapped.allowed, mapped.groups.count], [true, 1]);
  assert.equal(graphRequests(environment.tenant), before);
  const asked = await refresh(await signIn(workloads.scanner));
  assert.deepEqual([asked.allowed, asked.groups.count], [true, 3]);
});

test('a directory role among the groups of a token is none', async () => {
  const claims = { groups: [directoryRoles.globalReader.id] };
  const token = await signIn(people.adam, { claims });
  const { allowed, reasons } = await refresh(token);
  assert.equal(allowed, false);
  assert.match(
    reasons.join('\n'),
    /rule `role-holders` does not match: it is for members of .* directory role and no group/,
  );
});

test('whom Graph does not know has unknown groups', async () => {
  environment.tenant.faults.graph = 'notThere';
  const token = await signIn(people.dana, OVERAGE);
  const { allowed, groups: unknown } = await refresh(token);
  assert.equal(allowed, false);
  assert.match(unknown.reason, /^groups_unknown: Microsoft Graph answered 404 .*no such object/);
  assert.equal(await canRead(token), true);
});
