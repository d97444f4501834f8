import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { agentIdentity, backstageApi, backstageCli, workloads } from '../../dev/tenant/applications';
import { agents, people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { POLICY } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { AuditRecord } from '../audit/records';
import { RefusedTokens } from '../audit/refusedTokens';
import { EntraAccess } from '../service/entraAccess';
import { EntraTokenHandler } from './handler';

const logger = new RecordingLogger();
const { scanner, stranger, autonomousAgent } = workloads;

let tenant: Tenant;
let entraAccess: EntraAccess;
let handler: EntraTokenHandler;
let clients: ReadonlySet<string>;

before(async () => {
  tenant = await startTenant();
  const { authority, tenantId } = tenant;
  const json = JSON.stringify({
    tenants: [
      {
        tenantId,
        cloud: 'lab',
        audiences: [backstageApi.clientId],
        clients: [scanner.clientId, agentIdentity.clientId],
      },
    ],
    clouds: { lab: { authority } },
    policy: { rules: [] },
  });
  entraAccess = new EntraAccess({ json, policy: { json: POLICY, place: 'policy' } }, logger);
  handler = new EntraTokenHandler({ entraAccess, logger });
  const listed = [scanner.clientId.toUpperCase(), agentIdentity.clientId, backstageCli.clientId, stranger.clientId];
  clients = handler.initialize({ options: { get: () => ({ clients: listed }) } });
});
after(async () => {
  entraAccess.close();
  await tenant.close();
});
beforeEach(() => logger.clear());

const verify = (token: string) => handler.verifyToken(token, clients);

test('an app-only token of a listed client is a service principal', async () => {
  const subject = `entra:${tenant.tenantId}:${scanner.clientId}`;
  assert.deepEqual(await verify(tenant.mintAccessToken(scanner)), { subject });
  const v1 = tenant.mintAccessToken(scanner, { version: '1.0', audience: backstageApi.clientId });
  assert.deepEqual(await verify(v1), { subject });
});

test('a client of another entry is not ours', async () => {
  assert.equal(await handler.verifyToken(tenant.mintAccessToken(scanner), new Set([stranger.clientId])), undefined);
});

for (const [name, token] of [
  ['a static token', () => 'not-a-jwt-but-long-enough-for-a-static-token'],
  ['an empty token', () => ''],
  ['dots', () => '....'],
  ['a token of a foreign tenant', () => tenant.mintAccessToken(people.frank)],
  [
    'an issuer that only looks like ours',
    () => tenant.mintAccessToken(scanner, { claims: { iss: `${tenant.home.issuer('2.0')}/` } }),
  ],
  ['a token without a client', () => tenant.mintIdToken(people.olivia)],
] as Array<[string, () => string]>) {
  test(`nothing is thrown for ${name}`, async () => assert.equal(await verify(token()), undefined));
}

for (const principal of [people.olivia, agents.onBehalfOfOlivia]) {
  test(`a token of ${principal.name} is left alone, with a word about it and without the token`, async () => {
    assert.equal(await verify(tenant.mintAccessToken(principal)), undefined);
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0] ?? '', /^debug: a token of a listed client acts for a person/);
    assert.doesNotMatch(logger.lines.join(), /eyJ/);
  });
}

test('a token that says it is app-only, and has scopes, is left alone', async () => {
  const token = tenant.mintAccessToken(scanner, { claims: { scp: 'access_as_user' } });
  assert.equal(await verify(token), undefined);
});

test('who is proved and not let in is recorded, and one of them hides no other', async context => {
  const records: Array<Omit<AuditRecord, 'at'>> = [];
  context.mock.method(entraAccess.audit, 'require', async (record: Omit<AuditRecord, 'at'>) => {
    records.push(record);
  });
  const elsewhere = { claims: { azp: agentIdentity.clientId, appid: scanner.clientId } };
  const onlyScanner = new Set([scanner.clientId]);
  await assert.rejects(verify(tenant.mintAccessToken(autonomousAgent)), { code: 'token_kind_not_allowed' });
  await assert.rejects(handler.verifyToken(tenant.mintAccessToken(scanner, elsewhere), onlyScanner), {
    code: 'client_not_allowed',
  });
  const [agent, workload] = records;
  const identity = ({ oid }: { oid: string }) => `${tenant.tenantId}/${oid}`;
  assert.deepEqual(
    [agent?.code, agent?.kind, agent?.identity, agent?.agent, agent?.issuer],
    [
      'token_kind_not_allowed',
      'agent',
      identity(autonomousAgent),
      agentIdentity.clientId,
      `entra-v2:${tenant.tenantId}`,
    ],
  );
  assert.deepEqual(
    [workload?.code, workload?.kind, workload?.identity, workload?.client],
    ['client_not_allowed', 'workload', identity(scanner), agentIdentity.clientId],
  );
  const told = new RefusedTokens(Date.now);
  for (let time = 0; time < 150; time += 1) told.count(agent!, () => 'the-agent');
  assert.equal(
    told.count({ ...agent!, identity: identity(stranger) }, () => 'another'),
    undefined,
  );
});

for (const [name, token, code] of [
  ['expired', () => tenant.mintAccessToken(scanner, { now: 1_700_000_000 }), 'token_expired'],
  ['for another API', () => tenant.mintAccessToken(scanner, { audience: 'api://else' }), 'audience_mismatch'],
  ['without `oid`', () => tenant.mintAccessToken(scanner, { claims: { oid: undefined } }), 'claim_missing'],
  ['changed', () => tenant.mintAccessToken(scanner).replace(/....$/, 'AAAA'), 'signature_invalid'],
  ['signed by others', () => tenant.mintAccessToken(scanner, { signWith: tenant.foreign.keys.current }), 'key_unknown'],
  ['of a client that no tenant lists', () => tenant.mintAccessToken(stranger), 'client_not_allowed'],
  // Service principals bypass the policy, and with it all that is denied to agents.
  ['of an agent', () => tenant.mintAccessToken(autonomousAgent), 'token_kind_not_allowed'],
  [
    'of another client than it says elsewhere',
    () => tenant.mintAccessToken(scanner, { claims: { azp: agentIdentity.clientId, appid: scanner.clientId } }),
    'client_not_allowed',
  ],
] as Array<[string, () => string, string]>) {
  test(`an app-only token ${name} is refused`, async () => {
    const only = new Set([...clients].filter(client => (name.includes('says') ? client === scanner.clientId : true)));
    await assert.rejects(handler.verifyToken(token(), only), { name: 'AuthenticationError', code });
  });
}
