import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { backstageApi, backstageCli, workloads } from './applications';
import { agents, groups, people } from './people';
import { startTenant } from './server';
import type { Tenant } from './tenant';
import { FOREIGN_TENANT_ID } from './tenantIds';

const NOW = 1_800_000_000;

let tenant: Tenant;
before(async () => {
  tenant = await startTenant({ clock: () => NOW });
});
after(() => tenant.close());

test('a v2.0 access token has the claims of the real one', () => {
  const token = tenant.mintAccessToken(people.olivia);
  assert.deepEqual(decodeProtectedHeader(token), { typ: 'JWT', alg: 'RS256', kid: tenant.home.keys.current.kid });

  const { aio, rh, uti, sub, exp, ...claims } = decodeJwt(token);
  for (const opaque of [aio, rh, uti]) assert.match(String(opaque), /^[\w.-]{16,}$/);
  assert.match(String(sub), /^[\w-]{43}$/);
  assert.notEqual(sub, people.olivia.oid, 'sub is pairwise, not the object id');
  assert.ok(exp !== undefined && exp >= NOW + 3600 && exp <= NOW + 5400, 'lives 60 to 90 minutes');
  assert.deepEqual(claims, {
    aud: backstageApi.clientId,
    iss: `${tenant.authority}/${tenant.tenantId}/v2.0`,
    iat: NOW - 300,
    nbf: NOW - 300,
    azp: backstageCli.clientId,
    azpacr: '0',
    groups: [groups.paymentsEngineers.id, groups.payments.id],
    name: 'Olivia Owner',
    oid: people.olivia.oid,
    preferred_username: 'olivia@contoso.example',
    scp: 'access_as_user',
    tid: tenant.tenantId,
    ver: '2.0',
  });
});

test('a v1.0 access token has the claims of the real one', () => {
  const token = tenant.mintAccessToken(people.dana, { version: '1.0' });
  const { kid } = tenant.home.keys.current;
  assert.deepEqual(decodeProtectedHeader(token), { typ: 'JWT', alg: 'RS256', x5t: kid, kid });

  const claims = decodeJwt(token);
  assert.equal(claims.iss, `${tenant.authority}/${tenant.tenantId}/`);
  assert.equal(claims.aud, 'api://backstage');
  assert.equal(claims.ver, '1.0');
  assert.equal(claims.appid, backstageCli.clientId);
  assert.equal(claims.appidacr, '0');
  assert.equal(claims.upn, 'dana@contoso.example');
  for (const name of ['azp', 'azpacr', 'preferred_username']) assert.ok(!(name in claims), name);
});

test('every other choice can be made by the caller', () => {
  const { standby } = tenant.home.keys;
  const token = tenant.mintAccessToken(people.olivia, {
    audience: 'api://other',
    now: 1000,
    lifetime: 60,
    claims: { groups: undefined, extra: [1] },
    header: { typ: 'at+jwt' },
    signWith: standby,
  });
  assert.deepEqual(decodeProtectedHeader(token), { typ: 'at+jwt', alg: 'RS256', kid: standby.kid });
  const claims = decodeJwt(token);
  assert.deepEqual([claims.aud, claims.iat, claims.exp, claims.extra], ['api://other', 700, 1060, [1]]);
  assert.ok(!('groups' in claims));
});

test('a user without groups has no groups claim at all', () => {
  const claims = decodeJwt(tenant.mintAccessToken(people.rita));
  assert.ok(!('groups' in claims) && !('_claim_names' in claims));
});

test('above 200 groups the list is replaced as a whole', () => {
  const claims = decodeJwt(tenant.mintAccessToken(people.otto));
  assert.equal(people.otto.groups.length, 250);
  assert.ok(!('groups' in claims));
  assert.deepEqual(claims._claim_names, { groups: 'src1' });
  assert.deepEqual(claims._claim_sources, {
    src1: {
      endpoint: `https://graph.windows.net/${tenant.tenantId}/users/${people.otto.oid}/getMemberObjects`,
    },
  });
});

test('a guest belongs to the home tenant and comes from elsewhere', () => {
  const claims = decodeJwt(tenant.mintAccessToken(people.greg));
  assert.equal(claims.tid, tenant.tenantId);
  assert.equal(claims.idp, `${tenant.authority}/${FOREIGN_TENANT_ID}/`);
  assert.deepEqual([claims.acct, claims.email], [1, 'greg@fabrikam.example']);
});

test('a foreign user has the foreign issuer and keys', () => {
  const token = tenant.mintAccessToken(people.frank);
  assert.equal(decodeJwt(token).iss, tenant.foreign.issuer('2.0'));
  assert.equal(decodeProtectedHeader(token).kid, tenant.foreign.keys.current.kid);
});

test('a workload has roles and neither groups nor scp', () => {
  const claims = decodeJwt(tenant.mintAccessToken(workloads.scanner));
  const { idtyp, oid, azp, azpacr, roles } = claims;
  assert.deepEqual([idtyp, oid, azp], ['app', workloads.scanner.oid, workloads.scanner.clientId]);
  assert.deepEqual([azpacr, roles], ['1', ['Entity.Refresh.All']]);
  for (const name of ['scp', 'groups', 'name', 'preferred_username']) assert.ok(!(name in claims), name);
  assert.ok(!('roles' in decodeJwt(tenant.mintAccessToken(workloads.stranger))));
});

test('agents say so in their facets', () => {
  const onBehalf = decodeJwt(tenant.mintAccessToken(agents.onBehalfOfOlivia));
  assert.equal(onBehalf.oid, people.olivia.oid, 'the person it acts for');
  assert.equal(onBehalf.azp, agents.onBehalfOfOlivia.identity.clientId);
  assert.deepEqual([onBehalf.idtyp, onBehalf.xms_act_fct, onBehalf.xms_sub_fct], ['user', '2 11', '2']);

  const ownAccount = decodeJwt(tenant.mintAccessToken(agents.agentUser));
  assert.equal(ownAccount.oid, agents.agentUser.user.oid);
  assert.deepEqual([ownAccount.idtyp, ownAccount.xms_act_fct, ownAccount.xms_sub_fct], ['user', '2 11', '2 13']);

  const autonomous = decodeJwt(tenant.mintAccessToken(workloads.autonomousAgent));
  assert.deepEqual([autonomous.idtyp, autonomous.xms_act_fct, autonomous.xms_sub_fct], ['app', '2 11', '2 11']);
});

test('an ID token is for the client and authorizes nothing', () => {
  const claims = decodeJwt(tenant.mintIdToken(people.olivia, { nonce: 'abc' }));
  assert.deepEqual([claims.aud, claims.nonce, claims.ver], [backstageApi.clientId, 'abc', '2.0']);
  for (const name of ['scp', 'azp', 'azpacr', 'idtyp', 'at_hash']) assert.ok(!(name in claims), name);
});
