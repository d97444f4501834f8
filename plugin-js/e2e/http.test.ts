import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { workloads } from '../dev/tenant/applications';
import { attackNames, forgeAttack } from '../dev/tenant/attacks';
import type { Claims } from '../dev/tenant/claims';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import {
  AUDITOR,
  captureLog,
  company,
  RememberingClient,
  SERVICE_TOKEN,
  serviceRef,
  teamGroup,
  teamRef,
  TEAMS,
} from './support/company';

const ROUTES = {
  inspect: '/api/entra-access/v1/tokens/inspect',
  explain: '/api/entra-access/v1/decisions/explain',
  whoami: '/api/entra-access/v1/whoami',
  status: '/api/entra-access/v1/status',
  refresh: '/api/auth/entra/refresh',
};
const OLIVIA_REF = `user:default/${people.olivia.oid}`;
const COMPONENTS = [
  'payments-api',
  'portal',
  'search-api',
  ...Array.from({ length: TEAMS }, (_, at) => `service-${at}`),
];
/** Known, and bound to nothing */
const NO_TEAM = '7ea0ffff-0000-4000-8000-000000000000';

let environment: Environment;
let client: RememberingClient;
let log: ReturnType<typeof captureLog>;
const files = company();

before(async () => {
  log = captureLog();
  environment = await startEnvironment({ configure: files.configure, logLevel: 'debug' });
  client = new RememberingClient(environment);
  await untilEverythingIsKnown();
});
after(async () => {
  await environment?.stop();
  files.remove();
  log.restore();
});

async function untilEverythingIsKnown(): Promise<void> {
  const deadline = Date.now() + 90_000;
  let last: unknown;
  while (Date.now() < deadline) {
    const adam = await tokenOf(people.adam);
    const { body: status } = await client.call(ROUTES.status, adam);
    const { body: found } = await client.call('/api/catalog/entities/by-query?filter=kind=component&limit=0', adam);
    last = [status, found];
    if (status.directory?.owners === TEAMS + 3 && found.totalItems === COMPONENTS.length) return;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  throw new Error(`not ready: ${JSON.stringify(last)}`);
}

function entraToken(principal: Principal, claims?: Claims): string {
  const token = environment.tenant.mintAccessToken(principal, claims ? { claims } : {});
  client.sent.add(token);
  return token;
}

/** The Backstage token of somebody who signs in */
function tokenOf(principal: Principal, claims?: Claims): Promise<string> {
  return client.tokenFor(entraToken(principal, claims));
}

async function componentsSeenBy(token: string): Promise<string[]> {
  const query = 'filter=kind=component&fields=metadata.name&limit=500';
  const { status, body } = await client.call(`/api/catalog/entities/by-query?${query}`, token);
  assert.equal(status, 200, JSON.stringify(body));
  const names = (body.items as Array<{ metadata: { name: string } }>).map(({ metadata }) => metadata.name);
  assert.equal(body.totalItems, names.length);
  return names.sort();
}

async function canRead(token: string, name: string): Promise<boolean> {
  const { status } = await client.call(`/api/catalog/entities/by-name/component/default/${name}`, token);
  assert.ok([200, 404].includes(status), String(status));
  return status === 200;
}

// ---- sign-in

for (const body of [undefined, {}]) {
  test(`${body ? 'POST' : 'GET'} refresh answers a Backstage identity`, async () => {
    const answer = await client.call(ROUTES.refresh, entraToken(people.olivia), body);
    assert.equal(answer.status, 200);
    const { profile, backstageIdentity } = answer.body;
    assert.deepEqual(profile, { displayName: 'Olivia Owner' });
    assert.deepEqual(backstageIdentity.identity, {
      type: 'user',
      userEntityRef: OLIVIA_REF,
      ownershipEntityRefs: [OLIVIA_REF, 'group:default/payments'],
    });
    assert.ok(backstageIdentity.expiresInSeconds > 0 && backstageIdentity.expiresInSeconds <= 3600);
  });
}

test('v1.0 tokens, applications and agents sign in as well, where they are let in', async () => {
  const v1 = environment.tenant.mintAccessToken(people.olivia, { version: '1.0' });
  assert.equal((await client.signIn(v1)).status, 200);
  assert.equal((await client.signIn(entraToken(agents.agentUser))).status, 200);
  const scanner = await client.signIn(entraToken(workloads.scanner));
  assert.deepEqual([scanner.status, scanner.body.error.code], [401, 'client_not_allowed']);
});

test('an agent is not the person behind it', async () => {
  const { body } = await client.signIn(entraToken(agents.onBehalfOfOlivia));
  const ref = body.backstageIdentity.identity.userEntityRef;
  assert.equal(ref, `user:agent-${agents.onBehalfOfOlivia.identity.clientId}/${people.olivia.oid}`);
  const { body: me } = await client.call(ROUTES.whoami, body.backstageIdentity.token);
  assert.deepEqual([me.kind, me.entityRef, me.objectId], ['agent', ref, people.olivia.oid]);
});

for (const [name, headers] of [
  ['no header', {}],
  ['an empty one', { authorization: 'Bearer ' }],
  ['another scheme', { authorization: 'Basic b2xpdmlhOnNlY3JldA==' }],
] as Array<[string, Record<string, string>]>) {
  test(`sign-in with ${name} is a 401`, async () => {
    const { status, text } = await client.raw(ROUTES.refresh, { headers });
    assert.equal(status, 401);
    const { error } = JSON.parse(text);
    assert.equal(error.name, 'AuthenticationError');
    assert.match(error.message, /no token in the authorization header/);
  });
}

test('two authorization headers are refused, whichever is good', async () => {
  const { request } = await import('node:http');
  const [good, bad] = [`Bearer ${entraToken(people.olivia)}`, 'Bearer x'];
  for (const values of [
    [good, bad],
    [bad, good],
    [good, good],
  ]) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = [
        'host',
        new URL(environment.backendUrl).host,
        ...values.flatMap(value => ['authorization', value]),
      ];
      request(`${environment.backendUrl}${ROUTES.refresh}`, { headers: headers as never, agent: false }, response => {
        response.resume().on('end', () => resolve(response.statusCode));
      })
        .on('error', reject)
        .end();
    });
    // Some servers refuse such a request before anybody sees it.
    assert.ok(status === 401 || status === 400, String(status));
  }
});

// ---- attacks

/** These can't be sent in a header at all */
const NOT_IN_A_HEADER = ['huge', 'whitespace', 'trailing-newline'];

for (const name of attackNames) {
  test(`attack: ${name}`, async () => {
    const { token, expect, title } = forgeAttack(environment.tenant, name);
    if (!NOT_IN_A_HEADER.includes(name)) {
      const { status, body } = await client.signIn(token);
      assert.equal(status, 401, title);
      assert.equal(body.error.code, expect, title);
      assert.equal(body.backstageIdentity, undefined);
      assert.ok(body.error.message.startsWith(`${expect}: `), body.error.message);
    }
    const { status, body } = await client.call(ROUTES.inspect, await tokenOf(people.adam), { token });
    assert.equal(status, 200);
    assert.deepEqual([body.verdict, body.code], ['rejected', expect], title);
    assert.equal(body.principal, undefined);
    const signature = token.split('.').at(-1) ?? '';
    if (signature.length > 20)
      assert.ok(!JSON.stringify(body).includes(signature.slice(0, 20)), 'the signature is not shown');
  });
}

test('after all these attacks a good token is still good', async () => {
  assert.equal((await client.signIn(entraToken(people.olivia))).status, 200);
});

// ---- our routes and their guards

/** A request that would succeed for Adam */
const QUESTIONS: Array<[string, string, object | undefined]> = [
  ['tokens/inspect', ROUTES.inspect, { token: 'x' }],
  ['decisions/explain', ROUTES.explain, { permission: 'catalog.entity.read' }],
  ['decisions/explain about others', ROUTES.explain, { permission: 'catalog.entity.read', principal: OLIVIA_REF }],
  ['whoami', ROUTES.whoami, undefined],
  ['status', ROUTES.status, undefined],
];
const ALLOWED_TO_ALL = ['decisions/explain', 'whoami'];

for (const [name, path, body] of QUESTIONS) {
  test(`${name} needs a token, and its permission`, async () => {
    await tokenOf(people.olivia);
    assert.equal((await client.call(path, await tokenOf(people.adam), body)).status, 200);
    assert.equal((await client.call(path, undefined, body)).status, 401);
    assert.equal((await client.call(path, 'nonsense', body)).status, 401);
    const { status, body: answer } = await client.call(path, await tokenOf(people.rita), body);
    if (ALLOWED_TO_ALL.includes(name)) {
      assert.equal(status, 200);
    } else {
      assert.equal(status, 403);
      assert.match(answer.error.message, /^permission entra-access\.[a-z.-]+ is needed$/);
    }
  });
}

test('a Backstage token of somebody who is not signed in here is nobody', async () => {
  // As after a restart: the token is genuine, the session is gone.
  const token = await tokenOf(people.greg);
  assert.equal((await client.call(ROUTES.whoami, token)).status, 200);
  const [header, payload, signature] = token.split('.');
  const forged = Buffer.from(payload!, 'base64url').toString().replace(people.greg.oid, people.adam.oid);
  const forgery = [header, Buffer.from(forged).toString('base64url'), signature].join('.');
  assert.equal((await client.call(ROUTES.whoami, forgery)).status, 401);
});

test('whoami shows the caller as the core sees it', async () => {
  const { body } = await client.call(ROUTES.whoami, await tokenOf(people.olivia));
  const { expiresAt, epoch, ...rest } = body;
  assert.deepEqual(rest, {
    type: 'user',
    entityRef: OLIVIA_REF,
    kind: 'user',
    issuer: `entra-v2:${environment.tenant.tenantId}`,
    tenantId: environment.tenant.tenantId,
    objectId: people.olivia.oid,
    clientId: 'b8e14c70-d39a-4f26-8b51-7c0d9e2f6a35',
    actor: null,
    roles: [],
    name: 'Olivia Owner',
    groups: { state: 'known', count: 2 },
    owners: ['group:default/payments', OLIVIA_REF],
  });
  assert.ok(Date.parse(expiresAt) > Date.now());
  assert.ok(Number.isInteger(epoch));
});

test('a user with too many groups for a token has unknown groups, not none', async () => {
  const { body } = await client.call(ROUTES.whoami, await tokenOf(people.otto));
  assert.deepEqual(body.groups, { state: 'unknown', count: 0 });
});

test('a service principal is told that the policy does not apply to it', async () => {
  const { status, body } = await client.call(ROUTES.whoami, SERVICE_TOKEN);
  assert.equal(status, 200);
  assert.equal(body.type, 'service');
  const nobody = await client.explain(SERVICE_TOKEN, 'catalog.entity.read');
  assert.equal(nobody.status, 400);
  assert.match(nobody.body.error.message, /a service asks about somebody/);
  await tokenOf(people.olivia);
  const olivia = await client.explain(SERVICE_TOKEN, 'catalog.entity.read', undefined, OLIVIA_REF);
  assert.equal(olivia.body.result, 'CONDITIONAL');
});

test('status shows versions, ages and numbers, and no names', async () => {
  const { body } = await client.call(ROUTES.status, await tokenOf(people.adam));
  assert.deepEqual(body.core.available, true);
  assert.equal(body.policy.rules, 6);
  assert.deepEqual(body.directory.problems, []);
  assert.equal(body.directory.groups, TEAMS + 3);
  const v2 = body.keys.find(({ issuer }: { issuer: string }) => issuer === environment.tenant.home.issuer('2.0'));
  assert.equal(v2.keys, 2);
  assert.ok(v2.ageSeconds >= 0 && v2.ageSeconds < 600);
  assert.ok(body.sessions >= 3);
  assert.match(body.version, /^\d+\.\d+\.\d+/);
  assert.doesNotMatch(JSON.stringify(body), /user:default|Olivia/);
});

test('the inspector shows every check of a good token, and of a bad one', async () => {
  const adam = await tokenOf(people.adam);
  const good = await client.call(ROUTES.inspect, adam, { token: entraToken(people.olivia) });
  assert.equal(good.body.verdict, 'accepted');
  assert.equal(good.body.principal.objectId, people.olivia.oid);
  assert.ok(good.body.checks.every(({ outcome }: { outcome: string }) => outcome === 'pass'));

  const other = environment.tenant.mintAccessToken(people.olivia, { audience: 'api://somebody-else' });
  const bad = await client.call(ROUTES.inspect, adam, { token: other });
  assert.equal(bad.body.code, 'audience_mismatch');
  const line = bad.body.checks.find(({ check }: { check: string }) => check === 'audience');
  assert.equal(line.outcome, 'fail');
  assert.equal(line.actual, 'api://somebody-else');
  assert.match(line.hint, /audiences/);
  const outcomes = bad.body.checks.map(({ outcome }: { outcome: string }) => outcome);
  assert.equal(outcomes.length, good.body.checks.length, 'the later checks are there, too');
});

test('an ID token is accepted only where sign-in asks for one', async () => {
  const adam = await tokenOf(people.adam);
  const token = environment.tenant.mintIdToken(people.olivia);
  const asAccess = await client.call(ROUTES.inspect, adam, { token });
  assert.equal(asAccess.body.code, 'token_kind_not_allowed');
  const asSignIn = await client.call(ROUTES.inspect, adam, { token, purpose: 'sign-in' });
  assert.equal(asSignIn.body.verdict, 'accepted');
  const other = await client.call(ROUTES.inspect, adam, { token: entraToken(people.olivia), purpose: 'sign-in' });
  assert.equal(other.body.code, 'token_kind_not_allowed');
});

// ---- bad bodies

const secret = () => environment.tenant.mintAccessToken(people.olivia);

for (const [name, path, body, status] of [
  ['cut-off JSON', ROUTES.inspect, (token: string) => `{"token": "${token}"`, 400],
  ['the bare token', ROUTES.inspect, (token: string) => token, 400],
  ['a JSON string', ROUTES.inspect, (token: string) => JSON.stringify(token), 400],
  ['a broken word after it', ROUTES.inspect, (token: string) => `{"token":"${token}",x}`, 400],
  ['no token', ROUTES.inspect, () => '{}', 400],
  ['nothing', ROUTES.inspect, () => '', 400],
  ['an array', ROUTES.inspect, (token: string) => JSON.stringify([token]), 400],
  ['an empty token', ROUTES.inspect, () => '{"token":""}', 400],
  ['a token that is a list', ROUTES.inspect, (token: string) => JSON.stringify({ token: [token] }), 400],
  ['another key beside it', ROUTES.inspect, (token: string) => JSON.stringify({ token, more: token }), 400],
  ['the token as a key', ROUTES.inspect, (token: string) => JSON.stringify({ [token]: 1 }), 400],
  ['the token as purpose', ROUTES.inspect, (token: string) => JSON.stringify({ token, purpose: token }), 400],
  ['more than 1 MiB', ROUTES.inspect, (token: string) => JSON.stringify({ token: token.repeat(800) }), 413],
  ['cut-off JSON', ROUTES.explain, (token: string) => `{"permission": "${token}"`, 400],
  ['a permission that is a token', ROUTES.explain, (token: string) => JSON.stringify({ permission: token }), 400],
  ['no permission', ROUTES.explain, () => '{"resourceRef":"component:default/x"}', 400],
  ['a resource that is none', ROUTES.explain, () => '{"permission":"catalog.entity.read","resourceRef":":::"}', 400],
  ['an unknown permission', ROUTES.explain, () => '{"permission":"catalog.entity.fly"}', 400],
  ['a permission of no plugin', ROUTES.explain, () => '{"permission":"nowhere.entity.read"}', 400],
  ['a permission that is a path', ROUTES.explain, () => '{"permission":"../../status"}', 400],
  ['a permission that is inherited', ROUTES.explain, () => '{"permission":"__proto__.x"}', 400],
  ['a principal that is none', ROUTES.explain, () => '{"permission":"catalog.entity.read","principal":"x y"}', 400],
  [
    'an entity that is not there',
    ROUTES.explain,
    () => '{"permission":"catalog.entity.read","resourceRef":"component:default/none"}',
    404,
  ],
] as Array<[string, string, (token: string) => string, number]>) {
  test(`${path.split('/').slice(-1)} with ${name} is a ${status}, and nothing comes back of it`, async () => {
    const token = secret();
    client.sent.add(token);
    const headers = { authorization: `Bearer ${await tokenOf(people.adam)}`, 'content-type': 'application/json' };
    const answer = await client.raw(path, { method: 'POST', headers, body: body(token) });
    assert.equal(answer.status, status, answer.text);
    for (const part of token.split('.')) assert.ok(!answer.text.includes(part.slice(0, 10)), answer.text);
    assert.ok(answer.text.length < 1_000);
    assert.equal(typeof JSON.parse(answer.text).error.message, 'string');
  });
}

// ---- explanations

test('an explanation names rule, reason and groups, and agrees with what happens', async () => {
  for (const [principal, result, rule, reason] of [
    [people.olivia, 'ALLOW', 'owners-manage', /owned by `group:default\/payments`/],
    [people.rita, 'DENY', null, /no rule allows/],
    [people.adam, 'ALLOW', 'admins', /admins/],
  ] as const) {
    const token = await tokenOf(principal);
    const resource = result === 'DENY' ? undefined : 'component:default/payments-api';
    const { body } = await client.explain(token, 'catalog.entity.refresh', resource);
    assert.deepEqual([body.result, body.rule], [result, rule], JSON.stringify(body));
    assert.match(body.reasons[0], reason);
    const { status } = await client.call('/api/catalog/refresh', token, {
      entityRef: 'component:default/payments-api',
    });
    assert.equal(status === 200, result === 'ALLOW', String(status));
  }
});

test('without a resource the explanation says on what it depends', async () => {
  const { body } = await client.explain(await tokenOf(people.olivia), 'catalog.entity.refresh');
  assert.equal(body.result, 'CONDITIONAL');
  assert.deepEqual(body.conditions, { owned: true, owners: ['group:default/payments', OLIVIA_REF] });
});

test('an entity that the caller may not read cannot be asked about', async () => {
  const { status, body } = await client.explain(
    await tokenOf(people.olivia),
    'catalog.entity.refresh',
    'component:default/portal',
  );
  assert.equal(status, 404);
  assert.match(body.error.message, /does not exist, or the caller may not read it/);
});

test('one may ask about oneself in any letter case without a further permission', async () => {
  const token = await tokenOf(people.olivia);
  const { status } = await client.explain(token, 'catalog.entity.refresh', undefined, OLIVIA_REF.toUpperCase());
  assert.equal(status, 200);
});

test('an admin may ask about others, also about those who are not there', async () => {
  const adam = await tokenOf(people.adam);
  await tokenOf(people.olivia);
  const { body } = await client.explain(adam, 'catalog.entity.refresh', 'component:default/portal', OLIVIA_REF);
  assert.deepEqual([body.result, body.rule], ['DENY', null]);
  const { status, body: nobody } = await client.explain(adam, 'catalog.entity.read', undefined, 'user:default/nobody');
  assert.equal(status, 404);
  assert.match(nobody.error.message, /not signed in through Entra Access/);
});

// ---- lists

test('an owner lists what the owner owns, and reads nothing else by name', async () => {
  const token = await tokenOf(people.olivia);
  assert.deepEqual(await componentsSeenBy(token), ['payments-api']);
  assert.equal(await canRead(token, 'payments-api'), true);
  assert.equal(await canRead(token, 'search-api'), false);
});

test('denied when owned: everything but that is listed and read by name', async () => {
  const token = await tokenOf(people.dana);
  assert.deepEqual(await componentsSeenBy(token), COMPONENTS.filter(name => name !== 'search-api').sort());
  assert.equal(await canRead(token, 'search-api'), false);
  assert.equal(await canRead(token, 'payments-api'), true);
});

test('who owns nothing lists nothing, or everything where owning is what denies', async () => {
  const nothing = await tokenOf(people.rita, { groups: [NO_TEAM] });
  const { body } = await client.explain(nothing, 'catalog.entity.read');
  assert.deepEqual(
    [body.result, body.conditions.owned],
    ['CONDITIONAL', true],
    'asked of the catalog, not denied before',
  );
  assert.deepEqual(await componentsSeenBy(nothing), []);
  assert.equal(await canRead(nothing, 'portal'), false);

  const auditor = await tokenOf(people.rita, { groups: [NO_TEAM], roles: [AUDITOR] });
  const { body: other } = await client.explain(auditor, 'catalog.entity.read');
  assert.deepEqual([other.result, other.conditions.owned], ['CONDITIONAL', false]);
  assert.deepEqual(await componentsSeenBy(auditor), [...COMPONENTS].sort());
  assert.equal(await canRead(auditor, 'portal'), true);
});

test('with unknown groups nobody owns anything, and what denies owners denies', async () => {
  const otto = await tokenOf(people.otto);
  assert.deepEqual(await componentsSeenBy(otto), []);
  const auditor = await tokenOf(people.otto, { roles: [AUDITOR] });
  assert.deepEqual(await componentsSeenBy(auditor), [], 'Otto may own any of them');
  assert.equal(await canRead(auditor, 'portal'), false);
});

test('facets and the old list are filtered as well', async () => {
  const token = await tokenOf(people.olivia);
  const facets = await client.call('/api/catalog/entity-facets?facet=kind&filter=kind=component', token);
  assert.deepEqual(facets.body.facets.kind, [{ value: 'Component', count: 1 }]);
  const list = await client.call('/api/catalog/entities?filter=kind=component', token);
  assert.deepEqual(
    list.body.map((entity: any) => entity.metadata.name),
    ['payments-api'],
  );
  const refs = ['component:default/payments-api', 'component:default/portal'];
  const batch = await client.call('/api/catalog/entities/by-refs', token, { entityRefs: refs });
  assert.deepEqual(
    batch.body.items.map((entity: any) => entity?.metadata.name ?? null),
    ['payments-api', null],
  );
});

test('a new sign-in with other groups changes the list at once', async () => {
  assert.deepEqual(await componentsSeenBy(await tokenOf(people.rita, { groups: [teamGroup(3)] })), ['service-3']);
  assert.deepEqual(await componentsSeenBy(await tokenOf(people.rita, { groups: [teamGroup(4)] })), ['service-4']);
});

// ---- size

test('200 groups and 25 entities in one batch are answered, each for itself', async () => {
  for (const [first, owned] of [
    [0, TEAMS],
    [10, TEAMS - 10],
    [TEAMS, 0],
  ] as const) {
    const mine = Array.from({ length: 200 }, (_, at) => teamGroup(first + at));
    const token = await tokenOf(people.rita, { groups: mine });
    const { body: me } = await client.call(ROUTES.whoami, token);
    assert.equal(me.groups.count, 200);
    assert.equal(me.owners.length, owned + 1);
    const items = Array.from({ length: TEAMS }, (_, at) => ({
      id: String(at),
      resourceRef: serviceRef(at),
      permission: {
        type: 'resource',
        name: 'catalog.entity.refresh',
        attributes: { action: 'update' },
        resourceType: 'catalog-entity',
      },
    }));
    const { status, body } = await client.call('/api/permission/authorize', token, { items });
    assert.equal(status, 200, JSON.stringify(body));
    const allowed = body.items.filter(({ result }: { result: string }) => result === 'ALLOW');
    assert.deepEqual(
      allowed.map(({ id }: { id: string }) => Number(id)),
      Array.from({ length: owned }, (_, at) => first + at),
    );
    if (owned > 0) assert.ok(me.owners.includes(teamRef(first)));
  }
});

// ---- the last word

test('no token, no signature and no address is in the log of all this', () => {
  const text = log.text();
  assert.match(text, /entra-access/, 'there is a log');
  assert.match(text, /tokens\/inspect/, 'with the requests in it');
  assert.ok(client.sent.size > 100, String(client.sent.size));
  for (const token of client.sent) {
    if (token.length < 20) continue;
    assert.ok(!text.includes(token));
    const signature = token.split('.').at(-1) ?? '';
    if (signature.length > 20) assert.ok(!text.includes(signature.slice(0, 20)), 'a signature');
  }
  assert.doesNotMatch(text, /eyJ[\w-]{10}/, 'the beginning of a token');
  assert.doesNotMatch(text, /@(contoso|fabrikam)\.example/, 'an address');
  assert.doesNotMatch(text, /Unhandled|uncaught/i);
});

test('every error of our routes has its stable code', async () => {
  const [adam, dana] = [await tokenOf(people.adam), await tokenOf(people.dana)];
  const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.error?.code];
  assert.deepEqual(codeOf(await client.call(ROUTES.inspect, adam, { toke: 'x' })), [400, 'request_invalid']);
  assert.deepEqual(codeOf(await client.call(ROUTES.status, dana)), [403, 'permission_needed']);
  assert.deepEqual(codeOf(await client.explain(adam, 'catalog.entity.fly')), [400, 'permission_unknown']);
  assert.deepEqual(codeOf(await client.explain(adam, 'catalog.entity.read', 'nonsense')), [400, 'request_invalid']);
  assert.deepEqual(codeOf(await client.explain(adam, 'catalog.entity.read', 'component:default/none')), [
    404,
    'entity_not_found',
  ]);
  assert.deepEqual(codeOf(await client.explain(adam, 'catalog.entity.read', undefined, 'user:default/nobody')), [
    404,
    'not_signed_in',
  ]);
  assert.deepEqual(codeOf(await client.call(ROUTES.refresh)), [401, 'header_invalid']);
});
