import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Folder, said } from '../../e2e/support/cli';

const TENANT = '11111111-2222-3333-4444-555555555555';
const PERSON = '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21';
const OTHER = '8e4c72a1-f60b-4d95-b3e8-97a2c1d5f034';
const TEAM = '72b0e5f4-9a1d-4c6e-a835-d2f94b6c0e17';
const ADMINS = '33333333-4444-5555-6666-777777777777';
const AGENT = 'a5f03d8e-7c64-4b91-9e2a-1d8b6c0f4e73';

const folder = new Folder();
after(() => folder.remove());

const policy = folder.write(
  'policy.yaml',
  `rules:
  - { id: reads, effect: allow, permissions: [catalog.entity.read] }
  - { id: owners, effect: allow, permissions: ['catalog.entity.*'], actions: [update], when: { owned: true } }
  - { id: admins, effect: allow, permissions: ['*'], principals: [{ group: ${ADMINS} }] }
  - { id: retired, effect: deny, permissions: [catalog.entity.refresh], when: { rule: HAS_LABEL, params: { label: lifecycle, value: retired } } }
  - { id: agents, effect: deny, permissions: ['*'], actions: [delete], principals: [{ kind: agent }] }
  - { id: strong, effect: allow, permissions: [catalog.location.delete], requires: { authContext: c1, signedInWithin: 1h } }
  - { id: not-before-mfa, effect: deny, permissions: [catalog.location.create], requires: { mfa: true } }
  - { id: locations, effect: allow, permissions: [catalog.location.create] }
  - { id: jane, effect: allow, permissions: [catalog.location.read], principals: [{ user: 'user:default/jane' }] }
`,
);
const org = folder.write(
  'org.yaml',
  `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: payments }
spec: { type: team, children: [] }
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: checkout
  annotations: { graph.microsoft.com/group-id: ${TEAM} }
spec: { type: team, parent: payments, children: [] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: jane, annotations: { graph.microsoft.com/user-id: ${OTHER.toUpperCase()} } }
spec: { memberOf: [] }
---
`,
);

function entityFile(name: string, metadata = '', spec = 'owner: payments', kind = 'Component'): string {
  return folder.write(
    `${name}.yaml`,
    `apiVersion: backstage.io/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}${metadata} }\nspec: { type: service, lifecycle: x, ${spec} }\n`,
  );
}

const api = entityFile('api');
const ledger = entityFile('ledger', ', labels: { lifecycle: Retired }');

const who = (more: object = {}) =>
  JSON.stringify({ kind: 'user', tenantId: TENANT, objectId: PERSON, groups: [TEAM], ...more });
const REFRESH = ['--permission', 'catalog.entity.refresh'];

const explain = (principal: string, ...more: string[]) =>
  said('policy', 'explain', policy, '--principal', principal, ...more);

async function explained(principal: string, ...more: string[]) {
  const { code, out, complaints } = await explain(principal, ...more, '--json');
  assert.equal(complaints, '');
  return { code, ...JSON.parse(out) };
}

test('an owner through a nested team is allowed, and everything is said', async () => {
  const answer = await explained(who(), ...REFRESH, '--entity', api, '--catalog', org);
  const { reasons, rules, epoch, ...rest } = answer;
  assert.equal(typeof epoch, 'number');
  assert.deepEqual(rest, {
    code: 0,
    result: 'ALLOW',
    rule: 'owners',
    groups: { state: 'known', count: 1, matched: [TEAM] },
    ownership: {
      owners: ['group:default/payments'],
      owned: true,
      path: { owners: ['group:default/payments', 'group:default/checkout'], groups: [TEAM] },
    },
    withheld: [],
    permission: { name: 'catalog.entity.refresh', action: 'update', resourceType: 'catalog-entity' },
    principal: { kind: 'user', tenantId: TENANT, objectId: PERSON, entityRef: `user:default/${PERSON}` },
    entity: { entityRef: 'component:default/api', owners: ['group:default/payments'] },
    otherRules: ['agents', 'jane', 'locations', 'not-before-mfa', 'reads', 'strong'],
    catalogKnown: true,
    problems: [],
  });
  assert.match(reasons[0], /`group:default\/payments`, which contains `group:default\/checkout`/);
  assert.deepEqual(
    rules.map(({ rule, effect, outcome, kind }: any) => [rule, effect, outcome, kind]),
    [
      ['admins', 'allow', 'not', 'user'],
      ['owners', 'allow', 'applies', 'user'],
      ['retired', 'deny', 'not', 'user'],
    ],
  );
});

test('for people: the answer first, then why, then every rule', async () => {
  const { code, out, complaints } = await explain(who(), ...REFRESH, '--entity', ledger, '--catalog', org);
  assert.deepEqual([code, complaints], [1, '']);
  const lines = out.split('\n');
  assert.equal(lines[0], 'DENY catalog.entity.refresh on component:default/ledger');
  assert.match(out, /^ {2}rule +retired$/m);
  assert.match(out, /^ {2}because +rule `retired` denies it where `HAS_LABEL` holds$/m);
  assert.match(out, new RegExp(`^  groups +known: 1, of which ${TEAM} bear on it$`, 'm'));
  assert.match(out, /^3 of 9 rules are about this permission:$/m);
  assert.match(out, /^ {2}denies {2}retired {2}denies it where `HAS_LABEL` holds$/m);
  assert.match(out, /^ {2}allows {2}owners {3}allows it: `component:default\/ledger` is owned by/m);
  assert.match(out, new RegExp(`^  -       admins   does not match: it is for members of Entra group ${ADMINS}$`, 'm'));
  assert.match(out, /^not about it: agents, jane, locations, not-before-mfa, reads, strong$/m);
});

test('without an entity it depends on it: 3, and the conditions', async () => {
  const answer = await explained(who(), ...REFRESH, '--catalog', org);
  assert.deepEqual([answer.code, answer.result, answer.entity], [3, 'CONDITIONAL', null]);
  const retired = { rule: 'HAS_LABEL', params: { label: 'lifecycle', value: 'retired' } };
  assert.deepEqual(answer.conditions.criteria, { allOf: [{ owned: true }, { not: retired }] });
  const { out } = await explain(who(), ...REFRESH, '--catalog', org);
  assert.match(
    out,
    /^ {2}where +\{"allOf":.*\} \(the caller owns through group:default\/checkout, group:default\/payments, user:default\/[-0-9a-f]+\)$/m,
  );
  assert.match(out, /^ {2}may deny +retired /m);
});

test('without a catalog nobody certainly owns anything, which is said', async () => {
  const answer = await explained(who(), ...REFRESH, '--entity', api);
  assert.deepEqual([answer.code, answer.rule, answer.catalogKnown], [1, null, false]);
  const { out } = await explain(who(), ...REFRESH, '--entity', api);
  assert.match(out, /^ {2}catalog +not known, so nobody certainly owns anything/m);
});

test('unknown groups are no membership', async () => {
  const answer = await explained(who({ groups: 'unknown' }), ...REFRESH, '--entity', api, '--catalog', org);
  assert.deepEqual([answer.code, answer.groups.state], [1, 'unknown']);
  assert.match(answer.reasons.join('\n'), /the groups of the principal are not known/);
  const known = await explained(
    who({ groups: { state: 'known', ids: [ADMINS] } }),
    '--permission',
    'catalog.location.analyze',
  );
  assert.deepEqual([known.code, known.rule], [0, 'admins']);
});

test('an agent is considered twice, as itself and as its person', async () => {
  const agent = who({ kind: 'agent', actor: { clientId: AGENT } });
  const { code, out } = await explain(
    agent,
    '--permission',
    'catalog.entity.delete',
    '--entity',
    api,
    '--catalog',
    org,
  );
  assert.equal(code, 1);
  assert.match(out, new RegExp(`^  who +agent ${PERSON} of tenant ${TENANT}, as user:agent-${AGENT}/${PERSON}$`, 'm'));
  assert.match(out, new RegExp(`^  for +${TENANT}/${PERSON}: the agent DENY, the person DENY$`, 'm'));
  assert.match(out, /^ {2}denies {2}as agent {2}agents /m);
  assert.match(out, /^ {2}- {7}as user {3}agents {2,}does not match: it is for principals of kind `agent`$/m);
});

test('what a stronger sign-in would change is said; times move on with the clock', async () => {
  const question = ['--permission', 'catalog.location.delete'];
  const weak = await explained(who({ assurance: { authContexts: ['c1'], signedInAgo: '60m' } }), ...question);
  assert.deepEqual([weak.code, weak.stepUp], [1, [{ signedInWithin: 3600 }]]);
  const { out } = await explain(who(), ...question);
  assert.match(out, /^ {2}step up +would help: authentication context c1 and a sign-in within the last 3600 seconds$/m);
  const strong = await explained(who({ assurance: { authContexts: ['c1'], signedInAgo: '59m' } }), ...question);
  assert.deepEqual([strong.code, strong.rule], [0, 'strong']);
  const met = await explained(who({ assurance: { mfa: true } }), '--permission', 'catalog.location.create');
  assert.deepEqual([met.code, met.rule], [0, 'locations']);
  const spared = met.rules.find(({ rule }: any) => rule === 'not-before-mfa');
  assert.deepEqual(spared.why, 'rule `not-before-mfa` does not match: the sign-in is what it asks for');
});

test('a person is the User with their object id, or who they are said to be', async () => {
  const question = ['--permission', 'catalog.location.read', '--catalog', org];
  const jane = await explained(who({ objectId: OTHER }), ...question);
  assert.deepEqual([jane.code, jane.principal.entityRef], [0, 'user:default/jane']);
  assert.equal((await explained(who(), ...question)).code, 1);
  assert.equal((await explained(who({ entityRef: 'Jane' }), ...question)).code, 0);
  const own = entityFile('own', '', 'owner: user:jane');
  assert.equal((await explained(who({ objectId: OTHER }), ...REFRESH, '--entity', own, '--catalog', org)).code, 0);
  const twin = folder.write(
    'twin.yaml',
    `apiVersion: x/v1\nkind: User\nmetadata: { name: twin, annotations: { graph.microsoft.com/user-id: ${OTHER} } }\nspec: {}\n`,
  );
  const { code, complaints } = await explain(who({ objectId: OTHER }), ...question, '--catalog', twin);
  assert.equal(code, 2);
  assert.match(complaints, /--principal: user:default\/jane and user:default\/twin have its object id/);
});

test('described groups count also where the backend would ask the directory, and nobody breaks glass here', async () => {
  const principal = `${TENANT}/${PERSON}`;
  const config = folder.write(
    'following.yaml',
    `entraAccess:
  tenants: [{ tenantId: ${TENANT}, audiences: ['api://backstage'] }]
  groups: { source: graph, graph: { clientId: ${AGENT}, clientSecret: not-for-anybody, staleAfter: 300, directory: { poll: 30 } } }
  breakGlass: [{ name: night-shift, principal: ${principal}, reason: on call }]
  policy: { rules: [] }
`,
  );
  const more = [...REFRESH, '--entity', api, '--catalog', org, '--config', config];
  const owner = await explained(who(), ...more);
  assert.deepEqual([owner.code, owner.rule, owner.groups.state], [0, 'owners', 'known']);
  const unknown = await explained(who({ groups: 'unknown' }), ...more);
  assert.deepEqual([unknown.code, unknown.result, unknown.rule], [1, 'DENY', null]);
});

test('the backend configuration binds groups, names the tenants, and may use variables', async () => {
  process.env.CLI_TEST_TENANT = TENANT;
  const config = folder.write(
    'app-config.yaml',
    `entraAccess:
  tenants: [{ tenantId: '\${CLI_TEST_TENANT}', audiences: [api://backstage] }]
  groups:
    overage: graph
    graph: { clientId: ${AGENT}, clientSecret: '\${NOT_SET_ANYWHERE}' }
    mapping: [{ group: ${ADMINS}, owner: group:default/payments }]
  policy: { file: ./not-there.yaml }
`,
  );
  const catalog = ['--catalog', org, '--config', config];
  const mapped = await explained(who({ groups: [ADMINS] }), ...REFRESH, '--entity', api, ...catalog);
  assert.equal(mapped.error, undefined);
  assert.deepEqual([mapped.code, mapped.groups.matched], [0, [ADMINS]]);
  const owners = mapped.rules.find(({ rule }: any) => rule === 'owners');
  assert.equal(owners.outcome, 'applies');
  const stranger = await explain(who({ tenantId: OTHER }), ...REFRESH, ...catalog);
  assert.equal(stranger.code, 2);
  assert.match(stranger.complaints, /--principal\.tenantId: is not one of `entraAccess.tenants`.* \(line 1\)/);
  for (const [text, says] of [
    ['app: {}', 'there is no section `entraAccess`'],
    ['entraAccess: { tenants: [] }', 'entraAccess.tenants: the list is empty'],
    ['entraAccess: [', 'could not be read: '],
  ] as const) {
    const bad = folder.write('bad-config.yaml', text);
    const { code, complaints } = await explain(who(), ...REFRESH, '--config', bad);
    assert.equal(code, 2, text);
    assert.ok(complaints.includes(says), complaints);
  }
});

test('what does not count in the catalog is told', async () => {
  const dubious = folder.write(
    'dubious.yaml',
    `apiVersion: x/v1\nkind: Group\nmetadata: { name: named, annotations: { graph.microsoft.com/group-id: payments } }\nspec: {}
---
apiVersion: x/v1\nkind: Group\nmetadata: { name: thief, annotations: { graph.microsoft.com/group-id: ${TEAM} } }\nspec: {}
---
apiVersion: x/v1\nkind: Location\nmetadata: { name: more }\nspec: { targets: [./more.yaml] }
`,
  );
  const { code, complaints } = await explain(
    who(),
    ...REFRESH,
    '--entity',
    api,
    '--catalog',
    org,
    '--catalog',
    dubious,
  );
  assert.equal(code, 1);
  assert.match(complaints, /^catalog: group:default\/named: .* is not a GUID/m);
  assert.match(complaints, /^catalog: group:default\/thief: 2 group entities carry the group id/m);
  assert.match(complaints, /^catalog: location:default\/more: what a Location points to is not read/m);
});

test('a rule that is not available is a mistake only where the answer hangs on it', async () => {
  const custom = folder.write(
    'custom.yaml',
    `rules:
  - { id: tiers, effect: allow, permissions: [catalog.entity.refresh], when: { rule: HAS_TIER, params: { tier: 1 } } }
  - { id: wrong, effect: allow, permissions: [catalog.entity.delete], when: { rule: HAS_LABEL, params: { labels: x } } }
  - { id: admins, effect: allow, permissions: ['*'], principals: [{ group: ${ADMINS} }] }
`,
  );
  const ask = (principal: string, permission: string) =>
    said(
      'policy',
      'explain',
      custom,
      '--principal',
      principal,
      '--permission',
      permission,
      '--entity',
      api,
      '--catalog',
      org,
    );
  const { code, complaints } = await ask(who(), 'catalog.entity.refresh');
  assert.equal(code, 2);
  assert.match(
    complaints,
    /`HAS_TIER` could not be asked: it is none of the catalog's own rules \(HAS_ANNOTATION, HAS_LABEL, /,
  );
  const refused = await ask(who(), 'catalog.entity.delete');
  assert.equal(refused.code, 2);
  assert.match(refused.complaints, /`HAS_LABEL` could not be asked: its params are refused: label: Required/);
  assert.equal((await ask(who({ groups: [ADMINS] }), 'catalog.entity.refresh')).code, 0);
});

test('owners are those that the catalog would make of an entity, or has made', async () => {
  const outcome = async (file: string) => {
    const { code, complaints, out } = await explain(who(), ...REFRESH, '--entity', file, '--catalog', org, '--json');
    assert.equal(complaints, '');
    return { code, ...JSON.parse(out) };
  };
  assert.deepEqual((await outcome(entityFile('elsewhere', ', namespace: other'))).entity.owners, [
    'group:other/payments',
  ]);
  assert.deepEqual((await outcome(entityFile('nobodys', '', 'x: y'))).entity.owners, []);
  const related = folder.write(
    'related.yaml',
    `apiVersion: x/v1\nkind: Widget\nmetadata: { name: w }\nspec: { owner: someone }\nrelations:
  - { type: ownedBy, targetRef: 'group:default/checkout' }\n  - { type: dependsOn, targetRef: 'group:default/x' }\n`,
  );
  const widget = await outcome(related);
  assert.deepEqual([widget.code, widget.entity.owners], [0, ['group:default/checkout']]);
  const unknown = await outcome(entityFile('widget', '', 'owner: payments', 'Widget'));
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.error,
    /widget\.yaml\.spec\.owner: by whom a Widget is owned is not known here: .*\(line 1; write `relations:/,
  );
});

test('every mistake is told with its place, and as JSON too', async () => {
  const several = folder.write(
    'several.yaml',
    `apiVersion: x/v1\nkind: A\nmetadata: { name: a }\n---\napiVersion: x/v1\nkind: A\nmetadata: { name: b }\n`,
  );
  const nameless = folder.write('nameless.yaml', `# first\n---\napiVersion: x/v1\nkind: A\nmetadata: {}\n`);
  const twice = folder.write(
    'twice.yaml',
    `apiVersion: x/v1\nkind: A\nmetadata: { name: a }\n---\napiVersion: x/v1\nkind: A\nmetadata: { name: A }\n`,
  );
  const bomb = folder.write(
    'bomb.yaml',
    `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n`,
  );
  const listed = folder.write('listed.yaml', '- a\n');
  const empty = folder.write('empty.yaml', '# nothing\n');
  const broken = folder.write('broken.yaml', 'a: [\n');
  const described = folder.write(
    'described.yaml',
    `kind: user\ntenantId: ${TENANT}\nobjectId: ${PERSON}\ngroups:\n  - ${TEAM}\n  - payments\n`,
  );
  for (const [args, says] of [
    [[described, ...REFRESH], /^.*described\.yaml\.groups\[1\]: `payments` is not a GUID.* \(line 6\)$/],
    [[who({ groups: undefined }), ...REFRESH], /^--principal\.groups: is missing \(list the object ids of all groups/],
    [[who({ groups: null }), ...REFRESH], /^--principal\.groups: is neither a list nor `unknown` nor `none`/],
    [[who({ groups: 'known' }), ...REFRESH], /^--principal\.groups: is neither a list/],
    [
      [who({ groups: { state: 'unknown', ids: [TEAM] } }), ...REFRESH],
      /^--principal\.groups: ids beside a state that has none/,
    ],
    [[who({ group: [] }), ...REFRESH], /^--principal\.group: unknown field `group`, expected one of `kind`/],
    [[who({ kind: 'root' }), ...REFRESH], /^--principal\.kind: unknown variant `root`/],
    [[who({ tenantId: 'contoso.com' }), ...REFRESH], /^--principal\.tenantId: `contoso\.com` is not a GUID/],
    [[who({ objectId: undefined }), ...REFRESH], /^--principal: missing field `objectId`/],
    [[who({ roles: 'Admin' }), ...REFRESH], /^--principal\.roles: invalid type: string "Admin"/],
    [[who({ kind: 'agent' }), ...REFRESH], /^--principal\.actor: is missing: an agent has a client id/],
    [[who({ actor: { clientId: AGENT } }), ...REFRESH], /^--principal\.actor: belongs to agents only/],
    [[who({ entityRef: 'a:b:c' }), ...REFRESH], /^--principal\.entityRef: not an entity reference/],
    [[who({ entityRef: 7 }), ...REFRESH], /^--principal\.entityRef: is not an entity reference/],
    [[who({ assurance: { signedInAgo: '-1h' } }), ...REFRESH], /^--principal\.assurance\.signedInAgo: is not a time/],
    [
      [who({ assurance: { signedInAgo: '1h', signedInAt: 1 } }), ...REFRESH],
      /^--principal\.assurance: `signedInAt` and/,
    ],
    [[who({ assurance: { acrs: [] } }), ...REFRESH], /^--principal\.assurance\.acrs: unknown field `acrs`/],
    [['{ kind: user', ...REFRESH], /^--principal: /],
    [['{"__proto__":{"kind":"user"}}', ...REFRESH], /^--principal\.(?:groups|__proto__): /],
    [[listed, ...REFRESH], /^.*listed\.yaml: a principal is a mapping/],
    [[bomb, ...REFRESH], /^.*bomb\.yaml: Excessive alias count/],
    [['nowhere.yaml', ...REFRESH], /^nowhere\.yaml: could not be read: ENOENT/],
    [[folder.path, ...REFRESH], /: could not be read: not a file$/],
    [['/dev/zero', ...REFRESH], /^\/dev\/zero: could not be read: not a file$/],
    [
      [who(), '--permission', 'catalog.entity.fly'],
      /^--permission: permission `catalog\.entity\.fly` is not known here \(one of catalog\.entity\.read, /,
    ],
    [
      [who(), '--permission', 'scaffolder.task.read'],
      /is not known here \(write \{ name, action, resourceType \} as \/api\/scaffolder\//,
    ],
    [[who(), '--permission', '{ name: a.b, action: fly }'], /^--permission\.action: .*\(line 1\)$/],
    [
      [who(), '--permission', '{ name: a.b, type: x }'],
      /^--permission\.type: unknown field `type` \(line 1; expected one of `name`, `action`, `resourceType`\)$/,
    ],
    [[who(), '--permission', '{ action: read }'], /^--permission\.name: is missing/],
    [
      [who(), '--permission', 'catalog.location.read', '--entity', api],
      /is about no resource, not about an entity \(leave the entity out\)$/,
    ],
    [[who(), '--permission', '{ name: a.b, resourceType: x }', '--entity', api], /is about resources of type x, not/],
    [[who(), ...REFRESH, '--entity', several], /several\.yaml: there is more than one entity in it \(line 5;/],
    [
      [who(), ...REFRESH, '--entity', nameless],
      /nameless\.yaml: .*name.* \(line 3; an entity as in catalog-info\.yaml\)$/,
    ],
    [[who(), ...REFRESH, '--entity', listed], /listed\.yaml: an entity is a mapping/],
    [[who(), ...REFRESH, '--entity', empty], /empty\.yaml: there is no entity in it$/],
    [[who(), ...REFRESH, '--entity', broken], /broken\.yaml: /],
    [[who(), ...REFRESH, '--entity', bomb], /bomb\.yaml: Excessive alias count/],
    [
      [who(), ...REFRESH, '--entity', entityFile('odd', '', 'owner: [a]')],
      /odd\.yaml\.spec\.owner: is not an entity reference/,
    ],
    [[who(), ...REFRESH, '--entity', entityFile('Not_a name')], /Not_a name\.yaml: /],
    [[who(), ...REFRESH, '--catalog', twice], /twice\.yaml: a:default\/a is there twice \(line 5;/],
  ] as Array<[string[], RegExp]>) {
    const [principal = '', ...more] = args;
    const { code, out, complaints } = await explain(principal, ...more);
    assert.deepEqual([code, out], [2, ''], JSON.stringify(args));
    assert.match(complaints.trimEnd(), says);
    assert.equal(complaints.trimEnd().split('\n').length, 1, complaints);
    const json = await explain(principal, ...more, '--json');
    assert.deepEqual([json.code, json.complaints], [2, '']);
    assert.match(JSON.parse(json.out).error, says);
    assert.deepEqual(await explain(principal, ...more), { code, out, complaints }, 'said the same way again');
  }
  const policyMistake = await said('policy', 'explain', listed, '--principal', who(), ...REFRESH);
  assert.equal(policyMistake.code, 2);
});

test('what is missing on the command line is a question of usage', async () => {
  for (const [args, says] of [
    [[policy], /^--principal is missing/],
    [[policy, '--principal', who()], /^--permission is missing/],
    [[policy, '--principal', '', ...REFRESH], /^--principal is missing/],
    [[policy, org, '--principal', who(), ...REFRESH], /^more than one FILE is named/],
    [[policy, '--principal', who(), ...REFRESH, '--entity', ''], /^--entity is missing/],
    [[policy, '--principal'], /^Option '--principal <value>' argument missing/],
  ] as const) {
    const { code, out, complaints } = await said('policy', 'explain', ...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(complaints, says);
    assert.match(complaints, /usage: entra-access policy explain FILE/);
  }
});

test('a token in the place of anything is not repeated', async () => {
  const token = `eyJhbGciOiJSUzI1NiJ9.${'eyJvaWQiOiJ4In0'.repeat(5)}.c2lnbmF0dXJl`;
  for (const principal of [token, `Bearer ${token}`, ` ${token}`]) {
    const { code, complaints } = await explain(principal, ...REFRESH);
    assert.equal(code, 2);
    assert.match(complaints, /^--principal: looks like a token/);
    assert.ok(!complaints.includes('c2lnbmF0dXJl') && !complaints.includes('eyJ'));
  }
  const tests = folder.write(
    'token.test.yaml',
    `policy: policy.yaml\ntests:\n  - { name: x, given: { principal: ${token}, permission: a }, expect: allow }\n`,
  );
  for (const args of [
    ['policy', 'check', token],
    ['policy', 'test', token],
    ['policy', 'test', tests],
    ['policy', 'explain', token, '--principal', who(), ...REFRESH],
    ['policy', 'explain', policy, '--principal', who(), '--permission', token],
    ['policy', 'explain', policy, '--principal', who(), ...REFRESH, '--entity', token],
  ]) {
    const { code, complaints } = await said(...args);
    assert.ok(code > 0 && complaints !== '' && !complaints.includes('eyJ'), complaints);
  }
});

test('nothing in a file reaches the terminal as more than text', async () => {
  const evil = folder.write(
    'evil.yaml',
    `rules:\n  - { id: "a\\e[31mALLOW\\u202e", effect: allow, permissions: ["*"] }\n`,
  );
  const { code, complaints } = await said('policy', 'explain', evil, '--principal', who(), ...REFRESH);
  assert.equal(code, 2);
  assert.doesNotMatch(complaints.trimEnd(), /[\u0000-\u001f\u202e]/);
  const role = who({ roles: ['\u001b[2J'], entityRef: undefined, name: '\u001b]0;x\u0007' });
  const named = await explain(role, '--permission', '{ name: "a\\nALLOW\\e[1m", action: read }');
  assert.equal(named.code, 1);
  assert.match(named.out, /^DENY a\\u000aALLOW\\u001b\[1m$/m);
});
