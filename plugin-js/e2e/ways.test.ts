/** Every way in over HTTP, with what must be refused at each */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { AuthenticationError } from '@backstage/errors';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { backstageApi, backstageCli, workloads } from '../dev/tenant/applications';
import { attackNames, forgeAttack } from '../dev/tenant/attacks';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import { FOREIGN_TENANT_ID } from '../dev/tenant/tenantIds';
import { directCallsWith } from '../src/direct';
import { unverifiedClaims } from '../src/service/unverified';
import { callerPlugin } from './support/caller';
import { captureLog } from './support/company';
import { interceptMicrosoft, refreshInteractively, signInInteractively, type Grant } from './support/microsoft';
import './support/conforms';

const PAYMENTS_API = { entityRef: 'component:default/payments-api' };
const OWN_TOKEN = 'a-token-that-only-the-company-itself-knows';
const SERVICE_TOKEN = 'not-a-jwt-but-long-enough-for-a-static-token';
/** Another client of the same tenant, whose tokens are accepted for another reason */
const OTHER_AUDIENCE = '2f1c7d58-90ab-4e36-8c1d-5b7e94f0a263';
const COMPONENTS = '/entities/by-query?filter=kind=component';
const { scanner, stranger } = workloads;

/** Cannot be sent in a header, or is let in by this configuration */
const NOT_AN_ATTACK = ['huge', 'whitespace', 'trailing-newline', 'unlisted-app'];

const refOf = ({ oid }: { oid: string }) => `user:default/${oid}`;

/** Changes the story's configuration */
function configure(config: Record<string, any>): void {
  const [tenant] = config.entraAccess.tenants;
  tenant.clients = [scanner.clientId, stranger.clientId];
  tenant.audiences.push(OTHER_AUDIENCE);
  config.backend.auth = {
    externalAccess: [
      { type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } },
      {
        type: 'entra',
        options: { clients: [scanner.clientId] },
        accessRestrictions: [{ plugin: 'catalog', permission: 'catalog.entity.read' }],
      },
    ],
  };
  config.auth.providers.microsoft = {
    development: {
      clientId: backstageApi.clientId,
      clientSecret: 'a-simulated-secret',
      tenantId: tenant.tenantId,
      skipUserProfile: true,
      signIn: { resolvers: [{ resolver: 'entraGroups' }] },
    },
  };
}

/** A token handler of the company's own, which knows one token and wants nothing of the other tenant */
function ownTokenHandler(inner: PluginTokenHandler): PluginTokenHandler {
  return {
    async verifyToken(token) {
      if (token === OWN_TOKEN) return { subject: 'plugin:own' };
      const foreign = unverifiedClaims(token)?.issuer?.includes(FOREIGN_TENANT_ID);
      if (foreign) throw new AuthenticationError('not of the company');
      return inner.verifyToken(token);
    },
    issueToken: options => inner.issueToken(options),
  };
}

/** Waits for the catalog, then gives the client that asks it */
async function ready(environment: Environment, token: () => Promise<string>): Promise<Client> {
  const client = new Client(environment);
  client.tokenFor = token;
  await untilReady(client, () => '');
  return new Client(environment);
}

/** A GET with exactly these headers: fetch would join or drop some */
function rawGet(environment: Environment, path: string, headers: Array<[string, string]>) {
  return new Promise<{ status?: number; body: any }>((resolve, reject) => {
    const all = [['host', new URL(environment.backendUrl).host], ...headers].flat();
    httpRequest(`${environment.backendUrl}${path}`, { headers: all as never, agent: false }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text }),
      );
    })
      .on('error', reject)
      .end();
  });
}

const log = captureLog();
after(() => log.restore());

describe('with a provider that reads access tokens', () => {
  let environment: Environment;
  let client: Client;
  before(async () => {
    environment = await startEnvironment({ configure, features: [callerPlugin], logLevel: 'debug' });
    const adam = () => environment.tenant.mintAccessToken(people.adam);
    client = await ready(environment, async () => adam());
  });
  after(() => environment?.stop());

  const entraToken = (principal: Principal) => environment.tenant.mintAccessToken(principal);
  const componentsSeenBy = async (token: string, base = '/api/catalog') => {
    const { status, body } = await client.call(`${base}${COMPONENTS}`, token);
    return status === 200 ? (body.items as unknown[]).length : status;
  };
  /** How often the auth backend signed somebody in */
  const signIns = () => log.text().split('Issuing token for').length - 1;

  // ---- direct calls

  test('a direct call is answered as the caller, under the policy', async () => {
    const [olivia, dana] = [entraToken(people.olivia), entraToken(people.dana)];
    assert.equal(await componentsSeenBy(olivia), 3);
    assert.equal((await client.call('/api/catalog/refresh', olivia, PAYMENTS_API)).status, 200);
    assert.equal((await client.call('/api/catalog/refresh', dana, PAYMENTS_API)).status, 403);
    assert.equal((await client.call('/api/catalog/entities/by-name/component/default/payments-api', dana)).status, 200);
    const { body: me } = await client.call('/api/entra-access/v1/whoami', olivia);
    assert.deepEqual([me.kind, me.entityRef, me.groups], ['user', refOf(people.olivia), { state: 'known', count: 2 }]);
  });

  test('a plugin is told a user principal for whom nobody acts', async () => {
    const { body } = await client.call('/api/caller/person', entraToken(people.olivia));
    assert.deepEqual(body, { type: 'user', userEntityRef: refOf(people.olivia) });
    const owns = await client.call('/api/caller/owns', entraToken(people.olivia));
    assert.deepEqual(owns.body.ownershipEntityRefs, [refOf(people.olivia), 'group:default/payments']);
  });

  test('the permission backend answers it', async () => {
    const permission = {
      type: 'resource',
      name: 'catalog.entity.refresh',
      attributes: { action: 'update' },
      resourceType: 'catalog-entity',
    };
    for (const [principal, result] of [
      [people.olivia, 'ALLOW'],
      [people.dana, 'DENY'],
    ] as const) {
      const items = [{ id: 'one', permission, resourceRef: PAYMENTS_API.entityRef }];
      const { body } = await client.call('/api/permission/authorize', entraToken(principal), { items });
      assert.equal(body.items[0].result, result);
    }
  });

  test('a direct caller is no plugin: what Backstage keeps for calls on behalf of users stays closed', async () => {
    const resourceType = 'catalog-entity';
    const hasType = { rule: 'HAS_SPEC', resourceType, params: { key: 'type' } };
    const items = [{ id: '1', resourceRef: PAYMENTS_API.entityRef, resourceType, conditions: hasType }];
    const permission = { type: 'resource', name: 'catalog.entity.refresh', attributes: {}, resourceType };
    for (const token of [people.greg, people.olivia, agents.onBehalfOfOlivia].map(entraToken)) {
      // No permission is asked there: anybody could read anything, condition by condition.
      const applied = await client.call('/api/catalog/.well-known/backstage/permissions/apply-conditions', token, {
        items,
      });
      assert.equal(applied.status, 403, JSON.stringify(applied.body));
      const asked = await client.call('/api/permission/authorize', token, { items: [{ id: '1', permission }] });
      assert.equal(asked.status, 400, JSON.stringify(asked.body));
    }
  });

  test('a plugin that is called directly acts on behalf of its caller', async () => {
    const [olivia, dana] = [entraToken(people.olivia), entraToken(people.dana)];
    assert.equal(await componentsSeenBy(olivia, '/api/caller/catalog'), 3);
    assert.equal((await client.call('/api/caller/catalog/refresh', olivia, PAYMENTS_API)).status, 200);
    assert.equal((await client.call('/api/caller/catalog/refresh', dana, PAYMENTS_API)).status, 403);
  });

  test('agents and listed applications call directly too, and the policy knows them', async () => {
    const agent = entraToken(agents.onBehalfOfOlivia);
    assert.equal((await client.call('/api/catalog/refresh', agent, PAYMENTS_API)).status, 200);
    const uid = (await client.call('/api/catalog/entities/by-name/component/default/payments-api', agent)).body.metadata
      .uid;
    const { status } = await fetch(`${environment.backendUrl}/api/catalog/entities/by-uid/${uid}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${agent}` },
    });
    assert.equal(status, 403, 'agents do not delete');
    assert.equal((await client.call('/api/entra-access/v1/whoami', agent)).body.kind, 'agent');
    const application = entraToken(stranger);
    assert.equal((await client.call('/api/entra-access/v1/whoami', application)).body.kind, 'workload');
    assert.equal((await client.call('/api/catalog/refresh', application, PAYMENTS_API)).status, 403);
  });

  test('fifty calls at once with one token are one sign-in', async () => {
    const token = entraToken(people.rita);
    const before = signIns();
    const paths = [`/api/catalog${COMPONENTS}`, '/api/caller/person', '/api/entra-access/v1/whoami'];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => client.call(paths[at % paths.length] ?? '', token)),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(signIns() - before, 1);
  });

  test('a token of 12 KB with 200 groups is taken', async () => {
    const ids = Array.from({ length: 199 }, (_, at) => `7ea00000-0000-4000-8000-${String(at).padStart(12, '0')}`);
    const claims = { groups: [...ids, groups.payments.id], padding: 'x'.repeat(1000) };
    const token = environment.tenant.mintAccessToken(people.dana, { claims });
    assert.ok(token.length > 11_000);
    assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 200);
  });

  test('cookies work as ever, and do not take an access token with them', async () => {
    const olivia = entraToken(people.olivia);
    const response = await fetch(`${environment.backendUrl}/api/caller/cookie`, {
      headers: { authorization: `Bearer ${olivia}` },
    });
    const [cookie = ''] = response.headers.getSetCookie().map(line => line.split(';', 1)[0] ?? '');
    assert.match(cookie, /^backstage-auth=/);
    assert.ok(!cookie.includes(olivia));
    const byCookie = await rawGet(environment, '/api/caller/by-cookie', [['cookie', cookie]]);
    assert.deepEqual(byCookie, { status: 200, body: { type: 'user', userEntityRef: refOf(people.olivia) } });
    // It is a cookie, and no bearer token.
    const limited = cookie.slice('backstage-auth='.length);
    assert.equal((await client.call('/api/caller/person', limited)).status, 401);
    const none = await rawGet(environment, '/api/caller/by-cookie', [['cookie', 'backstage-auth=x.y.z']]);
    assert.equal(none.status, 401);
  });

  test("Backstage's own tokens and static tokens are untouched", async () => {
    const backstage = await client.tokenFor(entraToken(people.olivia));
    const { body } = await client.call('/api/caller/person', backstage);
    assert.deepEqual(body, { type: 'user', userEntityRef: refOf(people.olivia) });
    assert.equal(await componentsSeenBy(backstage, '/api/caller/catalog'), 3);
    assert.equal(await componentsSeenBy(SERVICE_TOKEN), 3);
    assert.equal((await client.call('/api/caller/person', SERVICE_TOKEN)).status, 403, 'a service is no user');
  });

  for (const name of attackNames.filter(each => !NOT_AN_ATTACK.includes(each))) {
    test(`a direct call with an attack is refused: ${name}`, async () => {
      const { token, expect } = forgeAttack(environment.tenant, name);
      const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, token);
      assert.equal(status, 401);
      // What is not of our issuers is left to Backstage, which has no codes.
      assert.ok([expect, undefined].includes(body.error.code), body.error.code);
      assert.equal(body.items, undefined);
    });
  }

  test('a direct call with a token of ours that is refused says why', async () => {
    const { tenant } = environment;
    for (const [token, code] of [
      [tenant.mintAccessToken(people.olivia, { now: tenant.clock() - 7200, lifetime: 3600 }), 'token_expired'],
      [tenant.mintAccessToken(people.olivia, { audience: 'api://else' }), 'audience_mismatch'],
      [tenant.mintIdToken(people.olivia), 'token_kind_not_allowed'],
      [tenant.mintAccessToken(workloads.autonomousAgent), 'client_not_allowed'],
    ] as const) {
      const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, token);
      assert.deepEqual([status, body.error.name, body.error.code], [401, 'AuthenticationError', code]);
    }
  });

  test("a token that looks like Backstage's and is signed by others is refused", async () => {
    const { tenant } = environment;
    const [issuer, exp] = [tenant.home.issuer('2.0'), tenant.clock() + 3600];
    for (const typ of ['vnd.backstage.user', 'vnd.backstage.limited-user', 'vnd.backstage.plugin']) {
      for (const iss of [issuer, `${environment.backendUrl}/api/auth`]) {
        const sub = typ.endsWith('plugin') ? 'catalog' : refOf(people.adam);
        const claims = { iss, sub, aud: typ.endsWith('plugin') ? 'catalog' : 'backstage', exp };
        const token = tenant.mintAccessToken(people.dana, { claims, header: { typ, alg: 'RS256' } });
        const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, token);
        assert.equal(status, 401, `${typ} ${iss}`);
        assert.equal(body.error.code, iss === issuer ? 'token_kind_not_allowed' : undefined);
      }
    }
  });

  test('of two authorization headers only the first is ever read', async () => {
    const [good, bad] = [entraToken(people.olivia), forgeAttack(environment.tenant, 'tampered').token];
    const header = (token: string): [string, string] => ['authorization', `Bearer ${token}`];
    const answer = await rawGet(environment, '/api/caller/person', [header(bad), header(good)]);
    assert.equal(answer.status, 401);
  });

  test('a token larger than any header is refused by Node', async () => {
    const token = environment.tenant.mintAccessToken(people.olivia, { claims: { padding: 'x'.repeat(20_000) } });
    assert.equal((await rawGet(environment, '/api/caller/person', [['authorization', `Bearer ${token}`]])).status, 431);
  });

  // ---- the proxy provider

  test('the sign-in of direct calls takes one access token and nothing beside it', async () => {
    const [token, path] = [entraToken(people.olivia), '/api/auth/entra/refresh'];
    const signIn = async (...headers: Array<[string, string]>) => {
      const { status, body } = await rawGet(environment, path, headers);
      return status === 200 ? status : body.error.code;
    };
    assert.equal(await signIn(['x-entra-access-direct', token]), 200);
    assert.equal(await signIn(['x-entra-access-direct', token], ['x-entra-access-direct', token]), 'header_invalid');
    assert.equal(
      await signIn(['x-entra-access-direct', token], ['authorization', `Bearer ${token}`]),
      'header_invalid',
    );
    assert.equal(
      await signIn(['x-entra-access-direct', environment.tenant.mintIdToken(people.olivia)]),
      'token_kind_not_allowed',
    );
  });

  // ---- the external token handler

  test('a listed client is a service principal within its restrictions', async () => {
    const token = entraToken(scanner);
    assert.equal(await componentsSeenBy(token), 3);
    assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 403, 'another permission');
    assert.equal((await client.call('/api/caller/person', token)).status, 403, 'another plugin');
    assert.equal((await client.call('/api/entra-access/v1/whoami', token)).status, 403);
  });

  test('refused by the external token handler', async () => {
    const { tenant } = environment;
    for (const [token, code] of [
      [tenant.mintAccessToken(scanner, { now: 1_700_000_000 }), 'token_expired'],
      [tenant.mintAccessToken(scanner, { audience: 'api://else' }), 'audience_mismatch'],
      [tenant.mintAccessToken(scanner).replace(/....$/, 'AAAA'), 'signature_invalid'],
      [tenant.mintAccessToken(scanner, { claims: { iss: `${tenant.home.issuer('2.0')}/` } }), undefined],
    ] as const) {
      const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, token);
      assert.deepEqual([status, body.error?.code], [401, code]);
    }
  });

  test('a client that is proved and not listed is recorded as who it is', async () => {
    const claims = { azp: stranger.clientId, appid: scanner.clientId };
    const token = environment.tenant.mintAccessToken(scanner, { claims });
    const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, token);
    assert.deepEqual([status, body.error.code], [401, 'client_not_allowed']);
    const path = `/api/entra-access/v1/audit/entries?reference=${body.error.reference}`;
    const { items } = (await client.call(path, entraToken(people.adam))).body;
    const identity = `${environment.tenant.tenantId}/${scanner.oid}`;
    assert.deepEqual(
      items.map((item: any) => [item.event, item.code, item.kind, item.identity, item.client]),
      [['token-refused', 'client_not_allowed', 'workload', identity, stranger.clientId]],
    );
  });

  test('a person who uses a listed client stays a person', async () => {
    const claims = { azp: scanner.clientId };
    const token = environment.tenant.mintAccessToken(people.dana, { claims });
    assert.equal((await client.call('/api/caller/person', token)).body.type, 'user');
    assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 403);
  });

  // ---- the interactive provider

  describe('interactive sign-in', () => {
    let grant: () => Grant;
    let microsoft: Awaited<ReturnType<typeof interceptMicrosoft>>;
    before(async () => {
      microsoft = await interceptMicrosoft(() => grant());
    });
    after(() => microsoft?.stop());

    test('the resolver takes the caller and the groups from the ID token', async () => {
      grant = () => ({ id_token: environment.tenant.mintIdToken(people.olivia) });
      const { message, cookies } = await signInInteractively(environment.backendUrl);
      const { backstageIdentity } = message.response;
      assert.deepEqual(backstageIdentity.identity.userEntityRef, refOf(people.olivia));
      assert.equal(microsoft.forms[0]?.get('client_id'), backstageApi.clientId);
      const { body: me } = await client.call('/api/entra-access/v1/whoami', backstageIdentity.token);
      assert.deepEqual([me.kind, me.groups.count], ['user', 2]);
      assert.equal((await client.call('/api/catalog/refresh', backstageIdentity.token, PAYMENTS_API)).status, 200);

      // The next refresh finds her without groups.
      grant = () => ({ id_token: environment.tenant.mintIdToken(people.olivia, { claims: { groups: undefined } }) });
      const refreshed = await refreshInteractively(environment.backendUrl, cookies);
      assert.equal(refreshed.status, 200);
      assert.equal(microsoft.forms[1]?.get('grant_type'), 'refresh_token');
      const later = await client.call('/api/entra-access/v1/whoami', refreshed.body.backstageIdentity.token);
      assert.deepEqual(later.body.groups, { state: 'unknown', count: 0 });
      assert.equal((await client.call('/api/catalog/refresh', backstageIdentity.token, PAYMENTS_API)).status, 403);
    });

    test('an app that wants a token for another resource stays signed in', async () => {
      grant = () => ({ id_token: environment.tenant.mintIdToken(people.olivia) });
      const { cookies } = await signInInteractively(environment.backendUrl);
      const scope = 'https://graph.microsoft.com/Calendars.Read';
      const { status, body } = await refreshInteractively(environment.backendUrl, cookies, scope);
      assert.equal(status, 200);
      assert.equal(microsoft.forms.at(-1)?.get('scope'), `${scope} offline_access openid`);
      assert.equal(body.backstageIdentity.identity.userEntityRef, refOf(people.olivia));
    });

    for (const [name, idToken, code] of [
      [
        'no ID token',
        () => undefined,
        'id_token_missing: Entra sent no ID token, though the scope `openid` was asked for; ',
      ],
      ['an access token', () => environment.tenant.mintAccessToken(people.olivia), 'token_kind_not_allowed: '],
      ['a foreign tenant', () => environment.tenant.mintIdToken(people.frank), 'tenant_not_allowed: '],
      [
        "another application's token",
        () => environment.tenant.mintIdToken(people.olivia, { audience: backstageCli.clientId }),
        'audience_mismatch: ',
      ],
      [
        'a token for another client whose tokens are accepted elsewhere',
        () => environment.tenant.mintIdToken(people.olivia, { audience: OTHER_AUDIENCE }),
        'audience_mismatch: the ID token is for another client than `auth.providers.microsoft` names',
      ],
      [
        'an expired token',
        () => environment.tenant.mintIdToken(people.olivia, { now: 1_700_000_000 }),
        'token_expired: ',
      ],
      [
        'a changed token',
        () => environment.tenant.mintIdToken(people.olivia).replace(/....$/, 'AAAA'),
        'signature_invalid: ',
      ],
      [
        'an agent',
        () => environment.tenant.mintIdToken(people.olivia, { claims: { xms_act_fct: '11', xms_sub_fct: '13' } }),
        'token_kind_not_allowed: ',
      ],
    ] as Array<[string, () => string | undefined, string]>) {
      test(`refused: ${name}`, async () => {
        grant = () => ({ id_token: idToken() });
        const { message } = await signInInteractively(environment.backendUrl);
        assert.equal(message.response, undefined);
        assert.equal(message.error.name, 'AuthenticationError');
        assert.ok(message.error.message.startsWith(code), message.error.message);
      });
    }
  });
});

describe('with a provider that reads ID tokens, behind Azure built-in authentication', () => {
  let environment: Environment;
  let client: Client;
  const HEADER = 'x-ms-token-aad-id-token';
  const signIn = (headers: Array<[string, string]>) => rawGet(environment, '/api/auth/entra/refresh', headers);
  before(async () => {
    environment = await startEnvironment({
      configure: config => (config.auth.providers.entra = { header: HEADER }),
      features: [directCallsWith(ownTokenHandler)],
    });
    client = await ready(environment, async () => environment.tenant.mintAccessToken(people.adam));
  });
  after(() => environment?.stop());

  test('an ID token signs in, with the groups in it', async () => {
    const { status, body } = await signIn([[HEADER, environment.tenant.mintIdToken(people.olivia)]]);
    assert.equal(status, 200);
    const { token, identity } = body.backstageIdentity;
    assert.equal(identity.userEntityRef, refOf(people.olivia));
    assert.equal((await client.call('/api/catalog/refresh', token, PAYMENTS_API)).status, 200);
  });

  test("a company's own token handler sees what is not of our issuers, and nothing else", async () => {
    const { tenant } = environment;
    assert.equal((await client.call(`/api/catalog${COMPONENTS}`, OWN_TOKEN)).status, 200);
    assert.equal((await client.call(`/api/catalog${COMPONENTS}`, `${OWN_TOKEN}x`)).status, 401);
    const { status, body } = await client.call(`/api/catalog${COMPONENTS}`, tenant.mintAccessToken(people.frank));
    assert.deepEqual([status, body.error.message], [401, 'not of the company']);
    assert.equal((await client.call(`/api/catalog${COMPONENTS}`, tenant.mintAccessToken(people.dana))).status, 200);
  });

  test('a direct call takes an access token all the same', async () => {
    const { tenant } = environment;
    assert.equal(
      (await client.call('/api/catalog/refresh', tenant.mintAccessToken(people.olivia), PAYMENTS_API)).status,
      200,
    );
    const { status, body } = await client.call('/api/catalog/refresh', tenant.mintIdToken(people.olivia), PAYMENTS_API);
    assert.deepEqual([status, body.error.code], [401, 'token_kind_not_allowed']);
  });

  for (const [name, headers, code] of [
    ['an access token', tenant => [[HEADER, tenant.mintAccessToken(people.olivia)]], 'token_kind_not_allowed'],
    ['a foreign tenant', tenant => [[HEADER, tenant.mintIdToken(people.frank)]], 'tenant_not_allowed'],
    [
      "another application's ID token",
      tenant => [[HEADER, tenant.mintIdToken(people.olivia, { audience: backstageCli.clientId })]],
      'audience_mismatch',
    ],
    [
      'an expired one',
      tenant => [[HEADER, tenant.mintIdToken(people.olivia, { now: 1_700_000_000 })]],
      'token_expired',
    ],
    [
      'a changed one',
      tenant => [[HEADER, tenant.mintIdToken(people.olivia).replace(/....$/, 'AAAA')]],
      'signature_invalid',
    ],
    [
      'two of them',
      tenant => [
        [HEADER, tenant.mintIdToken(people.olivia)],
        [HEADER.toUpperCase(), tenant.mintIdToken(people.adam)],
      ],
      'header_invalid',
    ],
    [
      'one as a bearer token',
      tenant => [['authorization', `Bearer ${tenant.mintIdToken(people.olivia)}`]],
      'header_invalid',
    ],
    [
      'one beside a direct call',
      tenant => [
        [HEADER, tenant.mintIdToken(people.olivia)],
        ['x-entra-access-direct', tenant.mintAccessToken(people.adam)],
      ],
      'header_invalid',
    ],
  ] as Array<[string, (tenant: Environment['tenant']) => Array<[string, string]>, string]>) {
    test(`refused: ${name}`, async () => {
      const { status, body } = await signIn(headers(environment.tenant));
      assert.deepEqual([status, body.error.code], [401, code]);
    });
  }
});

describe('with direct calls switched off', () => {
  let environment: Environment;
  let client: Client;
  before(async () => {
    environment = await startEnvironment({
      configure(config) {
        configure(config);
        delete config.auth.providers.microsoft;
        config.entraAccess.directCalls = false;
      },
    });
    client = new Client(environment);
  });
  after(() => environment?.stop());

  test('an access token is good for signing in, and for nothing else', async () => {
    const token = environment.tenant.mintAccessToken(people.olivia);
    const direct = await client.call(`/api/catalog${COMPONENTS}`, token);
    assert.deepEqual([direct.status, direct.body.error.message], [401, 'Illegal token']);
    const { status } = await client.call(`/api/catalog${COMPONENTS}`, await client.tokenFor(token));
    assert.equal(status, 200);
    const { body } = await rawGet(environment, '/api/auth/entra/refresh', [['x-entra-access-direct', token]]);
    assert.equal(body.error.code, 'header_invalid', 'the header of direct calls means nothing');
  });

  test('the external token handler takes its clients, and nobody else', async () => {
    const { tenant } = environment;
    const call = async (token: string) => (await client.call(`/api/catalog${COMPONENTS}`, token)).status;
    assert.equal(await call(tenant.mintAccessToken(scanner)), 200);
    assert.equal(await call(tenant.mintAccessToken(stranger)), 401, 'listed by the tenant, not by the entry');
    assert.equal(await call(tenant.mintAccessToken(people.olivia, { claims: { azp: scanner.clientId } })), 401);
  });

  test('no token, and no address of anybody, was logged by any of them', () => {
    // Shortened, so that a failure does not print it. A refusal is recorded with what to send: `Bearer TOKEN`.
    const text = log.text().replaceAll(/eyJ[\w-]{20,}/g, '(a token)');
    assert.doesNotMatch(text, /\(a token\)/);
    assert.doesNotMatch(text, /@contoso\.example/);
    assert.match(text, /a token of a listed client acts for a person/);
  });
});
