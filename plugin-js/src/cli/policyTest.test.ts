import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Folder, said } from '../../e2e/support/cli';

const ROOT = join(__dirname, '../../..');
const TENANT = '11111111-2222-3333-4444-555555555555';
const PERSON = '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21';
const TEAM = '72b0e5f4-9a1d-4c6e-a835-d2f94b6c0e17';

const folder = new Folder();
after(() => folder.remove());

folder.write(
  'policy.yaml',
  `rules:
  - { id: reads, effect: allow, permissions: [catalog.entity.read] }
  - { id: owners, effect: allow, permissions: ['catalog.entity.*'], actions: [update], when: { owned: true } }
  - { id: retired, effect: deny, permissions: [catalog.entity.refresh], when: { rule: HAS_LABEL, params: { label: lifecycle, value: retired } } }
  - { id: tiers, effect: allow, permissions: [catalog.entity.delete], when: { rule: HAS_TIER } }
`,
);
folder.write(
  'org.yaml',
  `apiVersion: x/v1
kind: Group
metadata: { name: payments, annotations: { graph.microsoft.com/group-id: ${TEAM} } }
spec: {}
---
apiVersion: x/v1
kind: Component
metadata: { name: api }
spec: { owner: payments }
---
apiVersion: x/v1
kind: Component
metadata: { name: ledger, labels: { lifecycle: retired } }
spec: { owner: payments }
`,
);
folder.write('bad-policy.yaml', 'rules:\n  - { id: a, effect: permit, permissions: [x] }\n');

const HEAD = `policy: policy.yaml
catalog: [org.yaml]
principals:
  olivia: { kind: user, tenantId: ${TENANT}, objectId: ${PERSON}, groups: [${TEAM}] }
  dana: { kind: user, tenantId: ${TENANT}, objectId: ${TENANT}, groups: [] }
tests:
`;

let files = 0;
const written = (tests: string, head = HEAD) => folder.write(`test-${(files += 1)}.yaml`, `${head}${tests}`);

const REFRESH = 'permission: catalog.entity.refresh';

test('the example beside the example policy passes, and says so', async () => {
  const file = join(ROOT, 'entra-access-policy.example.test.yaml');
  const { code, out, complaints } = await said('policy', 'test', file);
  assert.deepEqual([code, complaints], [0, ''], out);
  const tests = readFileSync(file, 'utf8').match(/^ {2}- name: /gm)!.length;
  assert.ok(tests >= 10);
  assert.match(out, new RegExp(`\\n${tests} passed, 0 failed\\n$`));
  assert.equal(out.match(/^ {2}ok {6}/gm)?.length, tests);
});

test('what the page and the help show as a test file is one, and passes', async () => {
  const here = new Folder();
  try {
    for (const [name, original] of [
      ['entra-access-policy.yaml', 'entra-access-policy.example.yaml'],
      ['org.yaml', 'entra-access-policy.example.catalog.yaml'],
    ] as const) {
      here.write(name, readFileSync(join(ROOT, original), 'utf8'));
    }
    here.write(
      'app-config.yaml',
      `entraAccess: { tenants: [{ tenantId: ${TEAM}, audiences: [api://x] }], policy: {} }\n`,
    );
    const page = readFileSync(join(ROOT, 'docs/policy.md'), 'utf8');
    const { out: help } = await said('policy', 'test', '--help');
    const examples = [/```yaml\n(policy: [^]*?)```/.exec(page)?.[1], /^ {2}policy: [^]*?\n(?=\n)/m.exec(help)?.[0]];
    for (const [at, example] of examples.entries()) {
      assert.ok(example, String(at));
      const outdented = at === 0 ? example : example.replaceAll(/^ {2}/gm, '');
      const file = here.write(`shown-${at}.yaml`, outdented.replaceAll('<id>', TEAM));
      const { code, out, complaints } = await said('policy', 'test', file);
      assert.deepEqual([code, complaints], [0, ''], out);
      assert.match(out, /ok {6}an owner may refresh\n1 passed, 0 failed\n$/);
    }
  } finally {
    here.remove();
  }
});

test('a configuration that follows the directory, with break-glass entries, is one to test with', async () => {
  folder.write(
    'following.yaml',
    `entraAccess:
  tenants: [{ tenantId: ${TENANT}, audiences: ['api://backstage'] }]
  groups: { source: graph, graph: { managedIdentity: true } }
  breakGlass: [{ name: night-shift, principal: ${TENANT}/${PERSON} }]
  policy: { file: ./policy.yaml }
`,
  );
  const head = HEAD.replace('principals:', 'config: [following.yaml]\nprincipals:');
  const file = written(
    `  - name: an owner refreshes
    given: { principal: olivia, ${REFRESH}, entity: 'component:default/api' }
    expect: allow
    rule: owners
`,
    head,
  );
  const { code, out, complaints } = await said('policy', 'test', file);
  assert.deepEqual([code, complaints], [0, ''], out);
  assert.match(out, /\n1 passed, 0 failed\n$/);
});

test('a test that fails says what was expected, what came and why', async () => {
  const file = written(`  - name: dana refreshes
    given: { principal: dana, ${REFRESH}, entity: 'component:default/api' }
    expect: allow
    rule: owners
  - name: olivia refreshes
    given: { principal: olivia, ${REFRESH}, entity: 'Component:Default/API' }
    expect: allow
`);
  const { code, out, complaints } = await said('policy', 'test', file);
  assert.deepEqual([code, complaints], [1, '']);
  const [head, ...lines] = out.split('\n');
  assert.equal(head, file);
  assert.equal(lines[0], '  FAILED  dana refreshes');
  assert.equal(lines[1], '          expected  allow, rule owners');
  assert.equal(lines[2], '          actual    deny, rule none');
  assert.match(lines[3]!, /^ {10}because {3}rule `owners` would allow the owner: `component:default\/api` is owned by/);
  assert.equal(lines[4], '  ok      olivia refreshes');
  assert.equal(lines[5], '1 passed, 1 failed');
  const json = await said('policy', 'test', file, '--json');
  assert.equal(json.code, 1);
  const report = JSON.parse(json.out);
  assert.deepEqual([report.passed, report.failed, report.mistakes], [1, 1, 0]);
  const [first] = report.files[0].tests;
  assert.deepEqual(
    { ...first, actual: { ...first.actual, reasons: first.actual.reasons.length } },
    {
      name: 'dana refreshes',
      ok: false,
      expected: { expect: 'allow', rule: 'owners' },
      actual: { result: 'deny', rule: null, reasons: 1 },
    },
  );
});

test('each of the three expectations can fail by itself', async () => {
  const given = `{ principal: olivia, ${REFRESH}, entity: 'component:default/ledger' }`;
  const outcome = async (expectation: string) =>
    (await said('policy', 'test', written(`  - { name: x, given: ${given}, ${expectation} }\n`))).code;
  for (const [expectation, code] of [
    ['expect: deny', 0],
    ['expect: deny, rule: retired', 0],
    ['expect: deny, reason: HAS_LABEL', 0],
    ['expect: deny, rule: retired, reason: HAS_LABEL', 0],
    ['expect: allow', 1],
    ['expect: conditional', 1],
    ['expect: deny, rule: owners', 1],
    ['expect: deny, rule: null', 1],
    ['expect: deny, reason: HAS_TIER', 1],
    ['expect: allow, rule: retired, reason: HAS_LABEL', 1],
  ] as const) {
    assert.equal(await outcome(expectation), code, expectation);
  }
});

test('an entity may be written where it is named, or left out', async () => {
  const file = written(`  - name: inline
    given: { principal: olivia, ${REFRESH}, entity: { kind: Component, metadata: { name: x }, spec: { owner: payments } } }
    expect: allow
  - name: labelled
    given:
      principal: { kind: user, tenantId: ${TENANT}, objectId: ${PERSON}, groups: [${TEAM}] }
      permission: { name: catalog.entity.refresh, action: update, resourceType: catalog-entity }
      entity: { kind: Component, metadata: { name: x, labels: { lifecycle: retired } }, spec: { owner: payments } }
    expect: deny
    rule: retired
  - { name: none, given: { principal: olivia, ${REFRESH} }, expect: conditional, rule: owners }
`);
  assert.deepEqual(await said('policy', 'test', file), {
    code: 0,
    out: `${file}\n  ok      inline\n  ok      labelled\n  ok      none\n3 passed, 0 failed\n`,
    complaints: '',
  });
});

test('without `catalog` nothing is known of it; an empty one is known to be empty', async () => {
  const tests = `  - { name: denied, given: { principal: olivia, ${REFRESH}, entity: { kind: Component, metadata: { name: x }, spec: { owner: payments } } }, expect: deny }
`;
  folder.write(
    'wall.yaml',
    'rules:\n  - { id: all, effect: allow, permissions: ["*"] }\n  - { id: not-ones-own, effect: deny, permissions: [catalog.entity.refresh], when: { owned: true } }\n',
  );
  const head = HEAD.replace('policy.yaml', 'wall.yaml');
  const unknown = written(tests, head.replace('catalog: [org.yaml]\n', ''));
  assert.equal((await said('policy', 'test', unknown)).code, 0);
  const empty = written(tests, head.replace('[org.yaml]', '[]'));
  assert.equal((await said('policy', 'test', empty)).code, 1);
});

test('a file with a mistake does not keep the others from being run, and is never a success', async () => {
  const good = written(
    `  - { name: reads, given: { principal: dana, permission: catalog.entity.read }, expect: allow }\n`,
  );
  const bad = written('', `policy: bad-policy.yaml\ntests:\n  - { name: x, given: {}, expect: allow }\n`);
  const { code, out, complaints } = await said('policy', 'test', bad, good);
  assert.equal(code, 2);
  assert.match(complaints, /\.tests\[0\]\.given\.principal: is missing \(line 3\)/);
  assert.match(out, /\n1 passed, 0 failed, 1 file with a mistake\n$/);
  const failing = written(
    `  - { name: reads, given: { principal: dana, permission: catalog.entity.read }, expect: deny }\n`,
  );
  assert.equal((await said('policy', 'test', bad, failing)).code, 2);
  const json = JSON.parse((await said('policy', 'test', bad, good, '--json')).out);
  assert.deepEqual([json.passed, json.failed, json.mistakes], [1, 0, 1]);
  assert.match(json.files[0].mistake, /is missing/);
});

test('every mistake is told with its place', async () => {
  const one = (test: string, head = HEAD) => written(`  - ${test}\n`, head);
  const given = `given: { principal: olivia, ${REFRESH} }`;
  for (const [file, says] of [
    [one(`{ ${given}, expect: allow }`), /\.tests\[0\]\.name: is missing \(line 7\)$/],
    [
      one(`{ name: x, ${given}, expect: allow, rules: a }`),
      /\.tests\[0\]\.rules: unknown field `rules` \(line 7; expected one of `name`, `given`, `expect`, `rule`, `reason`\)$/,
    ],
    [
      one(`{ name: x, given: { principal: olivia, permision: a }, expect: allow }`),
      /\.given\.permision: unknown field `permision` \(line 7; expected one of `principal`, `permission`, `entity`\)$/,
    ],
    [one(`{ name: x, given: { principal: olivia }, expect: allow }`), /\.given\.permission: is missing \(line 7\)$/],
    [
      one(`{ name: x, ${given}, expect: permit }`),
      /\.expect: expected one of "allow"\|"deny"\|"conditional" \(line 7\)$/,
    ],
    [one(`{ name: x, ${given}, expect: allow, rule: 7 }`), /\.rule: .* \(line 7\)$/],
    [one(`{ name: x, ${given}, expect: allow, reason: '' }`), /\.reason: too short: .* \(line 7\)$/],
    [one(`{ name: '', ${given}, expect: allow }`), /\.name: too short: .* \(line 7\)$/],
    [
      one(`{ name: x, given: { principal: nobody, ${REFRESH} }, expect: allow }`),
      /\.given\.principal: there is no principal `nobody` under `principals` \(line 7; there are olivia, dana\)$/,
    ],
    [
      one(`{ name: x, given: { principal: constructor, ${REFRESH} }, expect: allow }`),
      /there is no principal `constructor`/,
    ],
    [
      one(`{ name: x, given: { principal: __proto__, ${REFRESH} }, expect: allow }`),
      /there is no principal `__proto__`/,
    ],
    [
      one(`{ name: x, given: { principal: 7, ${REFRESH} }, expect: allow }`),
      /\.given\.principal: a principal is a mapping/,
    ],
    [
      one(`{ name: x, given: { principal: { kind: user }, ${REFRESH} }, expect: allow }`),
      /\.given\.principal\.groups: is missing \(line 7;/,
    ],
    [
      one(`{ name: x, given: { principal: olivia, ${REFRESH}, entity: 'component:default/nothing' }, expect: allow }`),
      /\.given\.entity: there is no entity `component:default\/nothing` in the files of `catalog` \(line 7; there are group:default\/payments,/,
    ],
    [
      one(`{ name: x, given: { principal: olivia, ${REFRESH}, entity: [] }, expect: allow }`),
      /\.given\.entity: an entity is a mapping/,
    ],
    [
      one(`{ name: x, given: { principal: olivia, ${REFRESH}, entity: { kind: Component } }, expect: allow }`),
      /\.given\.entity: .*metadata.* \(line 7;/,
    ],
    [
      one(
        `{ name: x, given: { principal: olivia, permission: catalog.location.read, entity: 'component:default/api' }, expect: allow }`,
      ),
      /\.given: permission `catalog\.location\.read` is about no resource/,
    ],
    [
      one(
        `{ name: x, given: { principal: olivia, permission: catalog.entity.delete, entity: 'component:default/api' }, expect: allow }`,
      ),
      /\.given: permission `catalog\.entity\.delete` could not be decided: `HAS_TIER` could not be asked/,
    ],
    [
      one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('groups: []', 'groups: [x]').replace('olivia:', 'ada:')),
      /\.given\.principal: there is no principal `olivia`/,
    ],
    [
      one(
        `{ name: x, given: { principal: dana, ${REFRESH} }, expect: allow }`,
        HEAD.replace('groups: []', 'groups: [x]'),
      ),
      /\.principals\.dana\.groups\[0\]: `x` is not a GUID.* \(line 5\)$/,
    ],
    [
      one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('policy.yaml', 'none.yaml')),
      /none\.yaml: could not be read: ENOENT/,
    ],
    [
      one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('policy.yaml', 'bad-policy.yaml')),
      /bad-policy\.yaml\.rules\[0\]\.effect: unknown variant `permit`.* \(line 2\)$/,
    ],
    [
      one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('org.yaml', 'policy.yaml')),
      /policy\.yaml: .*\(line 1; an entity as in/,
    ],
    [
      one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('catalog: [org.yaml]', 'catalog: org.yaml')),
      /\.catalog: expected array, received string \(line 2\)$/,
    ],
    [one(`{ name: x, ${given}, expect: allow }`, HEAD.replace('policy: policy.yaml\n', '')), /\.policy: is missing$/],
    [
      one(`{ name: x, ${given}, expect: allow }`, `kind: x\n${HEAD}`),
      /\.kind: unknown field `kind` \(line 1; expected one of `policy`, `config`, `catalog`, `principals`, `tests`\)$/,
    ],
    [
      written(`  - { name: x, ${given}, expect: conditional }\n  - { name: x, ${given}, expect: allow }\n`),
      /\.tests\[1\]\.name: two tests have this name \(line 8;/,
    ],
    [written('', HEAD.replace('tests:', 'tests: []')), /\.tests: too short: .* \(line 6\)$/],
    [written('', HEAD), /\.tests: .*array.* \(line 6\)$/],
    [written('', ''), /: expected object, received null$/],
    [written('', '- a\n'), /: expected object, received array$/],
    [written('', 'a: [\n'), /^.*yaml: /],
    [written('', 'policy: a\npolicy: b\n'), /^.*yaml: Map keys must be unique/],
    [folder.path, /: could not be read: not a file$/],
    [join(folder.path, 'missing.yaml'), /: could not be read: ENOENT/],
  ] as Array<[string, RegExp]>) {
    const { code, out, complaints } = await said('policy', 'test', file);
    assert.equal(code, 2, `${complaints}${out} ${says}`);
    assert.match(complaints.trimEnd(), says);
    assert.equal(complaints.trimEnd().split('\n').length, 1, complaints);
    assert.match(out, /\n0 passed, 0 failed, 1 file with a mistake\n$/);
  }
});

test('nothing in a test file reaches the terminal as more than text', async () => {
  const file = written(
    `  - { name: "a\\e[2J\\n  ok      all of it\\u202e", given: { principal: dana, permission: catalog.entity.read }, expect: deny }\n`,
  );
  const { out } = await said('policy', 'test', file);
  assert.match(out, /^ {2}FAILED {2}a\\u001b\[2J\\u000a {2}ok {6}all of it\\u202e$/m);
});
