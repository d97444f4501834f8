/** Why, and what it would take: over HTTP against a real backend, as a call, and on the command line; and no more than the asker may know */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { stringify } from 'yaml';
import { Client, untilReady, type Answer } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { groups, people, type Principal } from '../dev/tenant/people';
import { entraAccessServiceRef, type EntraAccess, type PermissionInput } from '../src';
import { Folder, said } from './support/cli';
import { captureLog } from './support/company';
import { until } from './support/replicas';

const RULES = [
  {
    id: 'everyone-reads',
    effect: 'allow',
    permissions: ['catalog.entity.read'],
    when: { not: { rule: 'HAS_LABEL', params: { label: 'secret' } } },
  },
  { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.refresh'], when: { owned: true } },
  {
    id: 'retired-stays',
    effect: 'deny',
    permissions: ['catalog.entity.refresh'],
    when: { rule: 'HAS_LABEL', params: { label: 'retired' } },
  },
  {
    id: 'night-shift',
    effect: 'allow',
    permissions: ['catalog.entity.refresh'],
    principals: [{ group: groups.fabrikamStaff.id }],
  },
  {
    id: 'owners-remove',
    effect: 'allow',
    permissions: ['catalog.entity.delete'],
    requires: { authContext: 'c1' },
    when: { owned: true },
  },
  { id: 'agents-dont', effect: 'deny', permissions: ['catalog.entity.delete'], principals: [{ kind: 'agent' }] },
  { id: 'asks', effect: 'allow', permissions: ['entra-access.decision.explain', 'entra-access.whoami.read'] },
  {
    id: 'help-desk',
    effect: 'allow',
    permissions: ['entra-access.decision.explain-others'],
    principals: [{ user: `user:default/${people.rita.oid}` }],
  },
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
];
const GROUP_ID = 'graph.microsoft.com/group-id';
const SERVICE_TOKEN = 'not-a-jwt-but-long-enough-for-a-static-token';
const PAYMENTS_API = 'component:default/payments-api';
const REFRESH = { name: 'catalog.entity.refresh', action: 'update', resourceType: 'catalog-entity' } as const;
const DELETE = { name: 'catalog.entity.delete', action: 'delete', resourceType: 'catalog-entity' } as const;
const READ = { name: 'catalog.entity.read', action: 'read', resourceType: 'catalog-entity' } as const;
const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{10}$/;
const refOf = ({ oid }: { oid: string }) => `user:default/${oid}`;

const entity = (kind: string, name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind,
  metadata: { name, ...metadata },
  spec,
});
const component = (name: string, owner: string, labels: object = {}) =>
  entity('Component', name, { type: 'service', lifecycle: 'production', owner }, { labels });
const twin = (name: string) =>
  entity('User', name, { memberOf: [] }, { annotations: { 'graph.microsoft.com/user-id': people.greg.oid } });
const ENTITIES = [
  component('vault', 'group:default/payments', { secret: 'yes' }),
  component('old-api', 'group:default/payments', { retired: 'yes' }),
  component('ghost-api', 'group:default/ghosts'),
  entity(
    'Group',
    'ghosts',
    { type: 'team', children: [] },
    { labels: { secret: 'yes' }, annotations: { [GROUP_ID]: groups.paymentsOnCall.id } },
  ),
  // Two people who would be one: nobody is signed in as either.
  twin('twin-one'),
  twin('twin-two'),
];

let environment: Environment;
let client: Client;
let log: ReturnType<typeof captureLog>;
let entraAccess: EntraAccess;
const folder = new Folder();
const written = folder.write('more.yaml', ENTITIES.map(each => stringify(each)).join('\n---\n'));

/** What another plugin of the same backend would get */
const neighbour = createBackendModule({
  pluginId: 'entra-access',
  moduleId: 'neighbour',
  register(env) {
    env.registerInit({
      deps: { service: entraAccessServiceRef, logger: coreServices.logger },
      init: async ({ service }) => void (entraAccess = service),
    });
  },
});

before(async () => {
  log = captureLog();
  environment = await startEnvironment({
    logLevel: 'info',
    features: [neighbour],
    configure(config) {
      config.catalog.locations.push({ type: 'file', target: written });
      config.entraAccess.policy = { rules: RULES };
      config.backend.auth = {
        externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'help-desk' } }],
      };
    },
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  await until('all entities are there', async () => {
    const adam = await tokenOf(people.adam);
    const { body } = await client.call('/api/catalog/entities/by-query?filter=kind=component&limit=0', adam);
    const { body: status } = await client.call('/api/entra-access/v1/status', adam);
    assert.deepEqual([body.totalItems, status.directory.groups], [6, 4]);
  });
});
after(async () => {
  await environment?.stop();
  folder.remove();
  log.restore();
});

const tokenOf = (principal: Principal) => client.tokenFor(environment.tenant.mintAccessToken(principal));

/** The text for people */
const inWords = async (asker: Principal, question: object) =>
  fetch(`${client.base}/api/entra-access/v1/decisions/explain`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await tokenOf(asker)}`,
      'content-type': 'application/json',
      accept: 'text/plain',
    },
    body: JSON.stringify(question),
  });

async function explained(asker: Principal, permission: string, resource?: string, about?: string): Promise<any> {
  const { status, body } = await client.explain(await tokenOf(asker), permission, resource, about);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

// ---- the working of an answer

test('every rule that was considered is told with the clause that failed, and the rules for others are not', async () => {
  const body = await explained(people.dana, REFRESH.name, PAYMENTS_API);
  assert.deepEqual([body.result, body.rule], ['DENY', null]);
  assert.deepEqual(
    body.rules.map(({ rule, effect, outcome, clause }: any) => [rule, effect, outcome, clause]),
    [
      [null, 'allow', 'not', 'principals'],
      [null, 'allow', 'not', 'principals'],
      ['owners-manage', 'allow', 'not', 'when'],
      ['retired-stays', 'deny', 'not', 'when'],
    ],
  );
  assert.ok(body.rules.every(({ why }: any) => typeof why === 'string' && why.length > 0));
  assert.deepEqual(body.withheld, ['rules']);
  const text = JSON.stringify(body);
  for (const secret of ['night-shift', 'admins', groups.fabrikamStaff.id, groups.platformAdmins.id]) {
    assert.ok(!text.includes(secret), secret);
  }
});

test('what it would take is the owning team, with the group that can be read in the catalog', async () => {
  const { wouldAllow, reasons } = await explained(people.dana, REFRESH.name, PAYMENTS_API);
  const facts = [{ fact: 'group', group: groups.payments.id, owner: 'group:default/payments' }];
  const way = wouldAllow.ways.find(({ rule }: any) => rule === 'owners-manage');
  assert.deepEqual(way.facts, facts);
  assert.match(way.text, /^membership in the owning team `group:default\/payments` \(Entra group a4c1/);
  assert.deepEqual([wouldAllow.blockedBy, wouldAllow.complete], [[], true]);
  assert.match(
    reasons[0],
    /is owned by `group:default\/payments` \(Entra group a4c1.*, and the principal is not a member/,
  );
  // By rules for others there are ways, too; which groups they are for is not said.
  const others = wouldAllow.ways.filter(({ rule }: any) => rule === null);
  assert.deepEqual(
    others.map(({ facts: all }: any) => all),
    [[{ fact: 'group' }], [{ fact: 'group' }]],
  );
});

test('whoever joins the group that was named is allowed', async () => {
  const { wouldAllow } = await explained(people.dana, REFRESH.name, PAYMENTS_API);
  const [{ group }] = wouldAllow.ways.find(({ rule }: any) => rule === 'owners-manage').facts;
  const joined = environment.tenant.mintAccessToken(people.dana, {
    claims: { groups: [groups.searchEngineers.id, group] },
  });
  const { body } = await client.explain(await client.tokenFor(joined), REFRESH.name, PAYMENTS_API);
  assert.equal(body.result, 'ALLOW');
  await tokenOf(people.dana);
});

test('the way to ownership is told from the entity to the group of the caller', async () => {
  const body = await explained(people.nina, REFRESH.name, PAYMENTS_API);
  assert.deepEqual([body.result, body.rule, body.withheld], ['ALLOW', 'owners-manage', ['rules']]);
  assert.deepEqual(body.ownership, {
    owners: ['group:default/payments'],
    owned: true,
    path: { owners: ['group:default/payments'], groups: [groups.payments.id] },
  });
  assert.equal(body.wouldAllow, undefined);
});

test('a refusal that hangs on the sign-in and on ownership names both', async () => {
  const { wouldAllow } = await explained(people.dana, DELETE.name, PAYMENTS_API);
  const way = wouldAllow.ways.find(({ rule }: any) => rule === 'owners-remove');
  assert.deepEqual(way.facts.map(({ fact }: any) => fact).sort(), ['group', 'signIn'], JSON.stringify(wouldAllow));
  const { wouldAllow: hers, stepUp } = await explained(people.olivia, DELETE.name, PAYMENTS_API);
  assert.deepEqual(hers.ways[0], {
    rule: 'owners-remove',
    facts: [{ fact: 'signIn', authContext: 'c1' }],
    text: 'authentication context c1 (rule `owners-remove`)',
  });
  assert.equal(stepUp[0].authContext, 'c1');
});

test('a list has its condition, and every answer the epoch', async () => {
  const body = await explained(people.dana, READ.name);
  assert.equal(body.result, 'CONDITIONAL');
  assert.deepEqual(body.conditions.criteria, { not: { rule: 'HAS_LABEL', params: { label: 'secret' } } });
  assert.deepEqual([body.ownership, body.epoch], [undefined, entraAccess.core.epoch]);
});

test("the catalog's own rules are asked about an entity, so that the answer is final", async () => {
  const retired = await explained(people.olivia, REFRESH.name, 'component:default/old-api');
  assert.deepEqual([retired.result, retired.rule], ['DENY', 'retired-stays']);
  assert.deepEqual(retired.wouldAllow.blockedBy, ['retired-stays']);
  assert.deepEqual(retired.wouldAllow.ways[0].facts, [
    { fact: 'rule', holds: false, rule: 'HAS_LABEL', params: { label: 'retired' } },
  ]);
  assert.equal((await explained(people.olivia, REFRESH.name, PAYMENTS_API)).result, 'ALLOW');
});

// ---- what the asker may not know

test('an entity that the asker cannot read is answered as one that does not exist', async () => {
  const dana = await tokenOf(people.dana);
  const answers: Answer[] = [];
  for (const name of ['vault', 'nowhere']) {
    const answer = await client.explain(dana, REFRESH.name, `component:default/${name}`);
    assert.deepEqual([answer.status, answer.body.error.code], [404, 'entity_not_found']);
    answers.push(JSON.parse(JSON.stringify(answer).replaceAll(name, 'x')));
  }
  assert.deepEqual(answers[0], answers[1]);
  const adam = await explained(people.adam, REFRESH.name, 'component:default/vault');
  assert.equal(adam.result, 'ALLOW');
});

test('the group of a team that the asker cannot read is withheld, and marked so', async () => {
  const body = await explained(people.dana, REFRESH.name, 'component:default/ghost-api');
  assert.deepEqual(body.withheld, ['groups', 'rules']);
  assert.ok(!JSON.stringify(body).includes(groups.paymentsOnCall.id));
  const way = body.wouldAllow.ways.find(({ rule }: any) => rule === 'owners-manage');
  assert.deepEqual(way.facts, [{ fact: 'group', owner: 'group:default/ghosts' }]);
  assert.equal(way.text, 'membership in the owning team `group:default/ghosts` (rule `owners-manage`)');
  // Who is in it knows it.
  const nina = await explained(people.nina, REFRESH.name, 'component:default/ghost-api');
  assert.deepEqual(nina.ownership.path.groups, [groups.paymentsOnCall.id]);
});

test('about others: refused without the permission, without their groups with it, and whole for whoever may read those', async () => {
  const dana = await tokenOf(people.dana);
  const refused = await client.explain(dana, REFRESH.name, PAYMENTS_API, refOf(people.olivia));
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'permission_needed']);

  const rita = await explained(people.rita, REFRESH.name, PAYMENTS_API, refOf(people.olivia));
  assert.deepEqual([rita.result, rita.rule, rita.withheld], ['ALLOW', 'owners-manage', ['groups', 'rules']]);
  const text = JSON.stringify(rita);
  // That of the owner she finds in the catalog, but not that Olivia is in it.
  for (const { id } of Object.values(groups)) assert.ok(!text.includes(id), id);
  assert.deepEqual(rita.groups, { state: 'known', count: null, matched: [] });
  assert.deepEqual(rita.ownership, { owners: ['group:default/payments'], owned: null, path: null });
  const list = await explained(people.rita, READ.name, undefined, refOf(people.olivia));
  assert.deepEqual([list.result, list.conditions, list.withheld], ['CONDITIONAL', { owners: [] }, ['groups', 'rules']]);

  const query = `principal=${encodeURIComponent(refOf(people.rita))}&resource=${encodeURIComponent(refOf(people.olivia))}`;
  const { body: recorded } = await client.call(
    `/api/entra-access/v1/audit/entries?${query}`,
    await tokenOf(people.adam),
  );
  assert.deepEqual(
    recorded.items.map(({ permission, result, reasons }: any) => [permission, result, reasons]),
    [
      ['entra-access.decision.explain-others', 'ALLOW', [`asked about ${READ.name}`]],
      ['entra-access.decision.explain-others', 'ALLOW', [`asked about ${REFRESH.name} on ${PAYMENTS_API}`]],
    ],
    'about whom she asked, and what',
  );

  const adam = await explained(people.adam, REFRESH.name, PAYMENTS_API, refOf(people.olivia));
  assert.deepEqual([adam.withheld, adam.groups.matched], [[], [groups.payments.id]]);
  assert.deepEqual(adam.ownership.path.groups, [groups.payments.id]);
  assert.ok(adam.rules.some(({ rule }: any) => rule === 'night-shift'));
});

test('a service that asks about somebody is recorded as who it is', async () => {
  await tokenOf(people.olivia);
  const asked = await client.explain(SERVICE_TOKEN, READ.name, PAYMENTS_API, refOf(people.olivia));
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  const { body } = await client.call(
    '/api/entra-access/v1/audit/entries?principal=help-desk',
    await tokenOf(people.adam),
  );
  assert.deepEqual(
    body.items.map(({ kind, permission, resource, reasons }: any) => [kind, permission, resource, reasons]),
    [
      [
        'service',
        'entra-access.decision.explain-others',
        refOf(people.olivia),
        [`asked about ${READ.name} on ${PAYMENTS_API}`],
      ],
    ],
  );
});

test('without their groups nothing but the answer and its rule tells two others apart', async () => {
  const told = async (who: Principal, permission: string, resource?: string) => {
    await tokenOf(who);
    const body = await explained(people.rita, permission, resource, refOf(who as { oid: string } & Principal));
    return { ...body, onBehalfOf: undefined };
  };
  // One owns it and lacks a sign-in, the other lacks the group: no group, no step-up, no way says so.
  const [owner, other] = [
    await told(people.olivia, DELETE.name, PAYMENTS_API),
    await told(people.dana, DELETE.name, PAYMENTS_API),
  ];
  assert.deepEqual(owner, other);
  assert.deepEqual([owner.result, owner.rule, owner.wouldAllow, owner.stepUp], ['DENY', null, undefined, undefined]);
  assert.deepEqual(await told(people.nina, READ.name), await told(people.dana, READ.name));
  // The rule that has decided is the answer; of no other it is told whether it applies.
  const allowed = await told(people.olivia, REFRESH.name, PAYMENTS_API);
  const outcomes = allowed.rules.map(({ rule, outcome }: any) => [rule, outcome]);
  assert.deepEqual(outcomes, [
    [null, 'depends'],
    [null, 'depends'],
    ['owners-manage', 'applies'],
    ['retired-stays', 'not'],
  ]);
  assert.equal(allowed.groups.reason, undefined);
  const text = await inWords(people.rita, { permission: READ.name, principal: refOf(people.olivia) });
  assert.match(await text.text(), /\n {2}groups {4}known\n/);
});

// ---- what one costs

test('an explanation asks the core at most three times and the catalog once, and no more than it needs', async context => {
  const study = context.mock.method(entraAccess.core, 'study');
  const fetched = context.mock.method(globalThis, 'fetch');
  const cost = async (...question: Parameters<typeof explained>) => {
    await tokenOf(question[0]);
    study.mock.resetCalls();
    fetched.mock.resetCalls();
    await explained(...question);
    const asks = fetched.mock.calls.filter(call => String(call.arguments[0]).endsWith('/apply-conditions'));
    return [study.mock.callCount(), asks.length];
  };
  for (const [name, expected, ...question] of [
    ['about oneself, no entity', [1, 0], people.dana, READ.name],
    ['about oneself, refused', [2, 1], people.dana, REFRESH.name, PAYMENTS_API],
    ['about oneself, allowed', [2, 1], people.nina, REFRESH.name, PAYMENTS_API],
    ['no rule of the catalog in it', [2, 0], people.dana, DELETE.name, PAYMENTS_API],
    ['about another, little to be told', [2, 1], people.rita, REFRESH.name, PAYMENTS_API, refOf(people.dana)],
    ['about another, all to be told', [3, 1], people.adam, REFRESH.name, PAYMENTS_API, refOf(people.dana)],
  ] as Array<[string, [number, number], Principal, string, string?, string?]>) {
    assert.deepEqual(await cost(...question), expected, name);
  }
});

// ---- the same everywhere

test('HTTP, the call and the command line agree', async () => {
  const policy = folder.write('policy.yaml', stringify({ rules: RULES }));
  const story = (name: string) => join(__dirname, '..', 'dev', 'story', 'catalog', name);
  const catalog = [story('org.yaml'), story('components.yaml'), written].flatMap(file => ['--catalog', file]);
  /** Why groups are not known is known to a running backend only */
  const told = ({ result, rule, reasons, conditions, groups: known, rules, ownership, wouldAllow, withheld }: any) =>
    JSON.parse(
      JSON.stringify({
        ...{ result, rule, conditions, rules, ownership, wouldAllow, withheld },
        reasons: reasons.filter((reason: string) => !reason.startsWith('groups_unknown: ')),
        groups: { ...known, reason: undefined },
      }),
    );
  const everything = { audience: { policy: true, groups: true, own: false, known: [] } };
  let asked = 0;
  for (const who of [people.olivia, people.dana, people.nina, people.rita]) {
    await tokenOf(who);
    const record = entraAccess.about(refOf(who), principal => entraAccess.core.describe(principal))!;
    const { kind, tenantId, objectId, groups: known, roles } = record;
    const principal = folder.write('who.yaml', stringify({ kind, tenantId, objectId, groups: known, roles }));
    for (const permission of [REFRESH, DELETE, READ] as PermissionInput[]) {
      for (const name of [undefined, 'payments-api', 'ghost-api']) {
        const owner = name === 'ghost-api' ? 'group:default/ghosts' : 'group:default/payments';
        const resource = name === undefined ? undefined : { entityRef: `component:default/${name}`, owners: [owner] };
        const http = await explained(people.adam, permission.name, resource?.entityRef, refOf(who));
        const asks =
          name === undefined
            ? []
            : ['retired', 'secret'].map(label => `{"rule":"HAS_LABEL","params":{"label":"${label}"}}`);
        const options = { ...everything, answered: { holds: [], fails: asks } };
        const call = entraAccess.explain(refOf(who), permission, resource, options);
        assert.deepEqual(told(call), told(http), `${who.key} ${permission.name} ${name}`);
        const on =
          name === undefined ? [] : ['--entity', folder.write('entity.yaml', stringify(component(name, owner)))];
        const question = ['--principal', principal, '--permission', permission.name, ...on, ...catalog, '--json'];
        const { out } = await said('policy', 'explain', policy, ...question);
        assert.deepEqual(told(JSON.parse(out)), told(http), `${who.key} ${permission.name} ${name}`);
        asked += 1;
      }
    }
  }
  assert.equal(asked, 36);
});

test('for people there is a text', async () => {
  const response = await inWords(people.dana, { permission: REFRESH.name, resourceRef: PAYMENTS_API });
  const text = await response.text();
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(text, /^DENY catalog\.entity\.refresh on component:default\/payments-api\n/);
  assert.match(text, /\n {2}it takes {2}membership in the owning team `group:default\/payments`/);
  assert.match(text, /\n {2}withheld {2}rules\n/);
});

// ---- references of refusals

async function recordsOf(reference: string): Promise<any[]> {
  const adam = await tokenOf(people.adam);
  const { status, body } = await client.call(`/api/entra-access/v1/audit/entries?reference=${reference}`, adam);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
}

for (const [name, path] of [
  ['an exchange', '/api/auth/entra/refresh'],
  ['a direct call', '/api/catalog/entities/by-query?limit=1'],
] as const) {
  test(`${name} that is refused has a reference, in the answer, the log and the audit trail`, async () => {
    const token = environment.tenant.mintAccessToken(people.dana, { claims: { aud: 'api://somebody-else' } });
    const seen = new Set<string>();
    for (let round = 0; round < 2; round += 1) {
      const { status, body } = await client.call(path, token);
      const { code, message, reference } = body.error;
      assert.deepEqual([status, code], [401, 'audience_mismatch']);
      assert.match(reference, REFERENCE);
      assert.ok(message.endsWith(` (reference ${reference})`), message);
      const [record, ...more] = await recordsOf(reference.toLowerCase());
      assert.deepEqual(
        [more.length, record.event, record.code, record.reference],
        [0, 'token-refused', code, reference],
      );
      assert.equal(`${record.reasons[0]} (reference ${reference})`, message);
      assert.ok(log.text().includes(`refused: audience_mismatch (reference ${reference})`));
      seen.add(reference);
    }
    assert.equal(seen.size, 2);
  });

  test(`${name} of somebody who cannot be let in says nothing of others; the audit trail does`, async () => {
    const { status, body } = await client.call(path, environment.tenant.mintAccessToken(people.greg));
    const { code, message, reference } = body.error;
    assert.deepEqual([status, code], [name === 'an exchange' ? 409 : 401, 'principal_conflict']);
    assert.doesNotMatch(JSON.stringify(body), /twin|user-id/);
    assert.match(message, /^it is not certain who you are in Backstage.* \(reference [0-9A-Z]{10}\)$/);
    const [record, ...more] = await recordsOf(reference);
    assert.deepEqual(
      [more.length, record.event, record.code],
      [0, 'sign-in', code],
      'recorded once, where it was refused',
    );
    assert.match(record.reasons[0], /user:default\/twin-one and user:default\/twin-two have one object id/);
    assert.equal(record.identity, `${environment.tenant.tenantId}/${people.greg.oid}`);
  });
}

test('a sign-in without a token has a reference, too', async () => {
  const { status, body } = await client.call('/api/auth/entra/refresh');
  assert.deepEqual([status, body.error.code], [401, 'header_invalid']);
  const [record] = await recordsOf(body.error.reference);
  assert.deepEqual([record.event, record.code, record.reasons.length], ['token-refused', 'header_invalid', 1]);
});

test('references are looked for as they are, and the trail with them is whole', async () => {
  const adam = await tokenOf(people.adam);
  for (const bad of ['', 'x', '0123456789A', '%27%20or%201']) {
    const { status } = await client.call(`/api/entra-access/v1/audit/entries?reference=${bad}`, adam);
    assert.equal(status, 400, bad);
  }
  assert.deepEqual(await recordsOf('0000000000'), []);
  const { body } = await client.call('/api/entra-access/v1/audit/verify', adam);
  assert.deepEqual([body.whole, body.problems], [true, []]);
});
