/** The examples of configuration in the documents, read by those who read the real thing */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { STORY } from '../dev/story/story';
import { readOptions } from '../src/auth/options';
import { EntraCore } from '../src/core';
import { readEntries } from '../src/external/entries';
import { withoutSecrets } from '../src/graph/settings';
import { readBreakGlass, withPeople } from '../src/service/breakGlass';
import { readMicrosoftClients } from '../src/microsoft/clients';
import { RecordingLogger } from './support/logger';

type Section = Record<string, any>;

const text = readFileSync(join(__dirname, '..', '..', 'docs', 'signing-in.md'), 'utf8');
const [opening = '', ...chapters] = text.split(/^## /m);
const examplesIn = (chapter: string) =>
  [...chapter.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => parse(yaml) as Section);
const [common = assert.fail()] = examplesIn(opening);

/** An example stands beside what every way needs */
function together(example: Section): Section {
  return {
    ...common,
    ...example,
    auth: { providers: { ...common.auth.providers, ...example.auth?.providers } },
    entraAccess: { ...common.entraAccess, ...example.entraAccess },
  };
}

function at(config: Section, path = ''): any {
  return path.split('.').reduce<any>((section, key) => section?.[key], config);
}

for (const chapter of [opening, ...chapters]) {
  for (const example of examplesIn(chapter)) {
    test(`the example under "${chapter.split('\n', 1)[0]}" is read without a mistake`, () => {
      const config = together(example);
      const core = new EntraCore({ configuration: JSON.stringify(config.entraAccess), logger: new RecordingLogger() });
      core.close();
      readOptions(config.auth.providers.entra);
      const reader = { getOptional: (path?: string) => at(config, path) };
      const clients = readEntries(reader);
      for (const client of clients) assert.ok(config.entraAccess.tenants[0].clients.includes(client), client);
      const microsoft = readMicrosoftClients(reader);
      assert.equal(microsoft.size, 'microsoft' in config.auth.providers ? 1 : 0);
    });
  }
}

test('there is an example for each way', () => {
  assert.ok(chapters.filter(chapter => examplesIn(chapter).length > 0).length >= 5);
});

test('links of the page lead somewhere', () => {
  const anchors = chapters.map(chapter =>
    (chapter.split('\n', 1)[0] ?? '')
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const [, anchor] of text.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor ?? ''), anchor);
});

/** What stands for the reader's own ids; each gets one of the right form, and only lists of clients share theirs */
const PLACEHOLDERS: Array<[RegExp, string]> = [
  [/<client id>/g, '22222222-3333-4444-5555-666666666666'],
  [/<client id of [^>]+>|<object id[^>]*>/g, 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'],
  [/<partner>/g, '99999999-2222-3333-4444-555555555555'],
  [/<(?:your )?tenant id>|<home>/g, '11111111-2222-3333-4444-555555555555'],
  [/audiences: \[\.\.\.\]/g, 'audiences: [api://backstage]'],
];

for (const page of [
  'README.md',
  'plugin-js/README.md',
  'docs/groups.md',
  'docs/identity-and-sessions.md',
  'docs/pipelines.md',
]) {
  const filled = PLACEHOLDERS.reduce(
    (read, [placeholder, id]) => read.replaceAll(placeholder, id),
    readFileSync(join(__dirname, '..', '..', page), 'utf8'),
  );
  const examples = examplesIn(filled).filter(example => 'entraAccess' in example);

  test(`the examples of ${page} are read without a mistake`, () => {
    assert.ok(examples.length > 0);
    for (const example of examples) {
      const config = together(example);
      // What the page about groups asks for in words: the application must be let in.
      const clients = config.entraAccess.groups?.workloads?.map(({ client }: Section) => client);
      if (clients) config.entraAccess.tenants = [{ ...config.entraAccess.tenants[0], clients }];
      const section = withPeople(withoutSecrets(config.entraAccess), readBreakGlass(config.entraAccess));
      new EntraCore({ configuration: JSON.stringify(section), logger: new RecordingLogger() }).close();
      readOptions(config.auth.providers.entra);
    }
  });
}

test('the policy on the page about pipelines is one for its configuration', () => {
  const examples = examplesIn(read('docs/pipelines.md'));
  const section = examples.find(example => 'entraAccess' in example)?.entraAccess;
  const policy = examples.find(example => 'rules' in example);
  const configuration = JSON.stringify({ ...common.entraAccess, ...section });
  const core = new EntraCore({ configuration, logger: new RecordingLogger() });
  try {
    core.setPolicy(JSON.stringify(policy), 'docs/pipelines.md');
    assert.deepEqual(core.ruleIds, ['staging-pipelines']);
  } finally {
    core.close();
  }
});

test('app-config.example.yaml is a configuration as it stands, and with every comment opened', () => {
  const example = read('app-config.example.yaml');
  // A setting that is commented out, or a line below one; prose has no colon or begins in another way.
  const opened = example
    .split('\n')
    .map(line => (/^\s+# (?:[a-zA-Z]+:|\s+(?:[a-z]|-|#))/.test(line) ? line.replace('# ', '') : line))
    .join('\n')
    .replace('source: token', 'source: graph')
    .replace(/^ +overage: .*$/m, '');
  for (const [text, parts] of [
    [example, []],
    [opened, ['clouds', 'pipelines', 'identity', 'catalog', 'directCalls', 'breakGlass']],
  ] as Array<[string, string[]]>) {
    const config = parse(text) as Section;
    for (const part of parts) assert.ok(part in config.entraAccess, part);
    const section = withPeople(withoutSecrets(config.entraAccess), readBreakGlass(config.entraAccess));
    new EntraCore({ configuration: JSON.stringify(section), logger: new RecordingLogger() }).close();
    readOptions(config.auth.providers.entra);
  }
});

test('every code that is not about a token stands on the page about ways in', () => {
  const [, union = ''] = /export type ErrorCode =\n(.*?);/s.exec(read('plugin-js/src/service/coded.ts')) ?? [];
  const codes = [...union.matchAll(/'([a-z_]+)'/g)].map(([, code = '']) => code);
  assert.ok(codes.length >= 14);
  const [, table = ''] = text.split('## When it is not about the token');
  for (const code of codes) assert.match(table, new RegExp(`^\\| .*\`${code}\`.* \\| \\d{3}`, 'm'), code);
});

test('README counts the scenes of the story as they are', () => {
  const [, shown, all] = /^Those are (\d+) of its (\d+) scenes/m.exec(read('README.md')) ?? [];
  assert.equal(Number(all), STORY.length);
  assert.equal(Number(shown), read('README.md').match(/ (?:ALLOW \(200\)|DENY \(403\)|401) {2}/g)?.length);
});

test('README leads to every page, and the architecture names every folder', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md'));
  for (const page of pages) assert.ok(read('README.md').includes(`(docs/${page})`), page);
  const [, folders = ''] = /plugin-js\/src\/\{([^}]+)\}/.exec(read('docs/architecture.md')) ?? [];
  const found = readdirSync(join(ROOT, 'plugin-js', 'src'), { withFileTypes: true }).filter(entry =>
    entry.isDirectory(),
  );
  assert.deepEqual([...folders.split(','), 'core'].sort(), found.map(({ name }) => name).sort());
});

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('the page about pipelines has a row for every claim that the core knows, and a test for every row', () => {
  const rows = read('docs/pipelines.md')
    .split('\n')
    .filter(line => /^\| `.*\|$/.test(line) && line.split(' | ').length === 5)
    .map(line => line.slice(2, -2).split(' | '));
  assert.ok(rows.length > 30);
  const source = read('src/pipeline/kinds.rs');
  for (const issuer of ['GitLab', 'Bitbucket', 'GitHub']) {
    const [, table = ''] =
      new RegExp(`const ${issuer.toUpperCase()}: &\\[Claim\\] = &\\[(.*?)\\n\\];`, 's').exec(source) ?? [];
    const known = [...table.matchAll(/claim\((?:"([^"]+)"|REF_PROTECTED)/g)].map(([, name = 'ref_protected']) => name);
    assert.ok(known.length >= 9, issuer);
    for (const claim of known) {
      const own = rows.filter(
        ([claims = '', of = '']) => claims.includes(`\`${claim}\``) && (of.includes(issuer) || of === 'all'),
      );
      assert.equal(own.length, 1, `${claim} of ${issuer}`);
    }
  }

  const places = {
    V: read('tests/support/vectors/pipelines.rs'),
    S: read('plugin-js/dev/ci/ci.test.ts'),
    E: `${read('plugin-js/e2e/pipelines.test.ts')}${read('plugin-js/dev/ci/variants.ts')}`,
  };
  for (const [claims, , , , tests = ''] of rows) {
    const named = [...tests.matchAll(/([VSE]) `([^`]+)`/g)];
    assert.ok(named.length > 0, claims);
    for (const [, place, name = ''] of named) {
      const text = places[place as keyof typeof places];
      // Vectors of one issuer have its name in front; those of required claims are put together.
      const short = name
        .replace(/^required_.*/, 'required_{kind}_{name}_{what}')
        .replace(/^(gitlab|bitbucket|github)_/, '');
      const titles = [name, short].flatMap(title => [`"${title}"`, `'${title}'`]);
      assert.ok(
        titles.some(title => text.includes(title)),
        `${place} ${name}`,
      );
    }
  }
});
