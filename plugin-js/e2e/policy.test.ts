/** The policy language against a real backend: rules of another plugin, step-up, a policy file that changes while it runs */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { Client, untilReady } from '../dev/story/client';
import { startEnvironment, type Environment } from '../dev/story/environment';
import { agents, groups, people, type Principal } from '../dev/tenant/people';
import { captureLog } from './support/company';
import { shelfPlugin } from './support/shelf';
import './support/conforms';

const ADMINS = { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] };
const genre = (name: string) => ({ rule: 'HAS_GENRE', params: { genre: name } });
const RULES = [
  ADMINS,
  { id: 'reads', effect: 'allow', permissions: ['catalog.entity.read'] },
  { id: 'asks', effect: 'allow', permissions: ['entra-access.decision.explain'] },
  // Everybody but Dana reads all but finance; she reads nothing but travel.
  {
    id: 'books',
    effect: 'allow',
    permissions: ['shelf.*'],
    principals: [{ kind: 'user' }, { kind: 'agent' }],
    when: { not: genre('finance') },
  },
  {
    id: 'dana-travels',
    effect: 'deny',
    permissions: ['shelf.book.read'],
    principals: [{ user: `${people.dana.tenantId}/${people.dana.oid}` }],
    when: { not: genre('travel') },
  },
  {
    id: 'owners-delete',
    effect: 'allow',
    permissions: ['catalog.entity.delete'],
    requires: { authContext: 'c1' },
    when: { anyOf: [{ owned: true }, { rule: 'HAS_LABEL', params: { label: 'orphan' } }] },
  },
];
/** What the plugins do not know */
const STRAY = [
  { id: 'misspelt', effect: 'allow', permissions: ['shelf.book.raed'] },
  // Whomever it meets gets an error of the plugin instead of an answer: here, nobody.
  {
    id: 'without-genre',
    effect: 'allow',
    permissions: ['shelf.book.read'],
    principals: [{ role: 'Nobody' }],
    when: { rule: 'HAS_GENRE', params: {} },
  },
];

let folder: string;
let file: string;
let environment: Environment;
let client: Client;
let adam: string;
let log: ReturnType<typeof captureLog>;

before(async () => {
  log = captureLog();
  folder = mkdtempSync(join(tmpdir(), 'entra-access-policy-e2e-'));
  file = join(folder, 'policy.yaml');
  write([...RULES, ...STRAY]);
  environment = await startEnvironment({
    configure: config => {
      config.entraAccess.policy = { file };
    },
    features: [shelfPlugin],
  });
  client = new Client(environment);
  await untilReady(client, () => environment.tenant.mintAccessToken(people.adam));
  adam = await tokenOf(people.adam);
});
after(async () => {
  await environment?.stop();
  rmSync(folder, { recursive: true, force: true });
  log.restore();
});

/** As an operator should: beside it, then in its place */
function write(rules: unknown): void {
  writeFileSync(`${file}.new`, stringify({ rules }));
  renameSync(`${file}.new`, file);
}

function tokenOf(principal: Principal, claims: Record<string, unknown> = {}): Promise<string> {
  return client.tokenFor(environment.tenant.mintAccessToken(principal, { claims }));
}

async function booksOf(token: string): Promise<string[]> {
  return (await client.call('/api/shelf/books', token)).body;
}

async function status(): Promise<any> {
  return (await client.call('/api/entra-access/v1/status', adam)).body;
}

async function until(met: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 30 s; ${JSON.stringify((await status()).policy)}`);
    await new Promise(done => setTimeout(done, 100));
  }
}

test('a condition of another plugin is evaluated by it, in lists', async () => {
  assert.deepEqual(await booksOf(await tokenOf(people.olivia)), ['atlas', 'novel']);
  assert.deepEqual(await booksOf(await tokenOf(people.dana)), ['atlas']);
  assert.deepEqual(await booksOf(adam), ['atlas', 'ledger', 'novel']);
});

test('a condition of another plugin is evaluated by it, for one resource', async () => {
  const permission = {
    type: 'resource',
    name: 'shelf.book.read',
    attributes: { action: 'read' },
    resourceType: 'shelf-book',
  };
  const items = ['atlas', 'ledger', 'novel', 'nothing'].map(id => ({ id, permission, resourceRef: id }));
  for (const [principal, expected] of [
    [people.olivia, ['ALLOW', 'DENY', 'ALLOW', 'DENY']],
    [people.dana, ['ALLOW', 'DENY', 'DENY', 'DENY']],
    [agents.onBehalfOfOlivia, ['ALLOW', 'DENY', 'ALLOW', 'DENY']],
  ] as const) {
    const { status: code, body } = await client.call('/api/permission/authorize', await tokenOf(principal), { items });
    assert.equal(code, 200, JSON.stringify(body));
    assert.deepEqual(
      body.items.map(({ result }: { result: string }) => result),
      expected,
      principal.name,
    );
  }
});

test('ownership and a rule of the catalog in one condition', async () => {
  const permission = {
    type: 'resource',
    name: 'catalog.entity.delete',
    attributes: { action: 'delete' },
    resourceType: 'catalog-entity',
  };
  const items = ['component:default/payments-api', 'component:default/search-api'].map(resourceRef => ({
    id: resourceRef,
    permission,
    resourceRef,
  }));
  const { body } = await client.call('/api/permission/authorize', await tokenOf(people.olivia, { acrs: ['c1'] }), {
    items,
  });
  assert.deepEqual(
    body.items.map(({ result }: { result: string }) => result),
    ['ALLOW', 'DENY'],
  );
});

test('a sign-in that is too weak is refused with the step-up that helps, and a stronger one is not', async () => {
  const explain = async (claims: Record<string, unknown>) =>
    (
      await client.explain(
        await tokenOf(people.olivia, claims),
        'catalog.entity.delete',
        'component:default/payments-api',
      )
    ).body;
  for (const weak of [{}, { acrs: ['c2'] }]) {
    const refused = await explain(weak);
    assert.equal(refused.result, 'DENY');
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } });
    assert.deepEqual(refused.stepUp, [{ authContext: 'c1', claims }]);
    assert.match(refused.reasons[0], /^step_up_required: rule `owners-delete` allows it after a sign-in with auth/);
  }
  const allowed = await explain({ acrs: ['c1'] });
  assert.deepEqual([allowed.result, allowed.rule, allowed.stepUp], ['ALLOW', 'owners-delete', undefined]);
});

test('an agent and its person are both named', async () => {
  const token = await tokenOf(agents.onBehalfOfOlivia);
  const { body } = await client.explain(token, 'catalog.entity.read', 'component:default/payments-api');
  assert.equal(body.onBehalfOf.person, `${people.olivia.tenantId}/${people.olivia.oid}`);
  assert.deepEqual([body.onBehalfOf.agentResult, body.onBehalfOf.personResult], ['ALLOW', 'ALLOW']);
});

test('what the installed plugins do not know is warned about', async () => {
  await until(async () => (await status()).policy.warnings.length === 2, 'two warnings');
  const { warnings } = (await status()).policy;
  assert.match(
    warnings[0],
    /policy\.yaml\.rules\[\d+\]\.permissions\[0\]: rule `misspelt`: no installed plugin declares shelf\.book\.raed \(line \d+; plugin shelf has shelf\.book/,
  );
  assert.match(
    warnings[1],
    /\.when\.params: rule `without-genre`: the params of HAS_GENRE are refused by its plugin: genre: .* \(line \d+; /,
  );
  for (const warning of warnings) assert.ok(log.text().includes(warning), warning);
});

test('a good new policy takes effect while the backend runs; anything else changes nothing', async () => {
  const olivia = await tokenOf(people.olivia);
  const { epoch } = await status();
  write([...RULES, { id: 'no-fiction', effect: 'deny', permissions: ['shelf.*'], when: genre('fiction') }]);
  await until(async () => (await status()).policy.rules === RULES.length + 1, 'the new policy');
  assert.deepEqual(await booksOf(olivia), ['atlas'], 'with the token from before');
  assert.ok((await status()).epoch > epoch);
  await until(async () => (await status()).policy.warnings.length === 0, 'the new policy reviewed');

  write([
    { id: 'open', effect: 'allow', permissions: ['*'] },
    { id: 'open', effect: 'allow', permissions: ['*'] },
  ]);
  await until(async () => (await status()).policy.error !== undefined, 'the reason');
  assert.match(
    (await status()).policy.error,
    /policy\.yaml\.rules\[\d+\]\.id: another rule has the id `open` \(line \d+; /,
  );
  assert.deepEqual(await booksOf(olivia), ['atlas']);
  unlinkSync(file);
  await until(async () => /ENOENT/.test((await status()).policy.error), 'the reason');
  assert.deepEqual(await booksOf(olivia), ['atlas']);

  write(RULES);
  await until(async () => (await status()).policy.rules === RULES.length, 'the policy of before');
  assert.deepEqual(await booksOf(olivia), ['atlas', 'novel']);
  assert.equal((await status()).policy.error, undefined);
  const said = log.text().match(/the policy stays as it was/g);
  assert.equal(said?.length, 2, 'once for each reason');
});
