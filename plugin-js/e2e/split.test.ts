/** The catalog in one process, everything else in another, over HTTP as a company runs them */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groups, people, type User } from '../dev/tenant/people';
import { ownershipRules } from './support/company';
import { until } from './support/replicas';
import { splitCompany, type Part } from './support/split';

const SERVICE_TOKEN = 'not-a-jwt-but-long-enough-for-a-static-token';
const OLIVIA = `user:default/${people.olivia.oid}`;
const RULES = ownershipRules([{ group: groups.fabrikamStaff.id }]);

const entity = (kind: string, name: string, spec: object, annotations?: Record<string, string>) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind,
  metadata: { name, ...(annotations ? { annotations } : {}) },
  spec,
});
const team = (name: string, id: string) =>
  entity('Group', name, { type: 'team', children: [] }, { 'graph.microsoft.com/group-id': id });
const component = (name: string, owner: string) =>
  entity('Component', name, { type: 'service', lifecycle: 'production', owner });

const ORG = [team('payments', groups.payments.id), team('search', groups.searchEngineers.id)];
const SERVICES = ['payments', 'search', 'portal'].map(name => component(`${name}-api`, `group:default/${name}`));

let company: Awaited<ReturnType<typeof splitCompany>>;
before(async () => {
  const entities = { 'org.yaml': ORG, 'services.yaml': SERVICES };
  company = await splitCompany({ rules: RULES, serviceToken: SERVICE_TOKEN, entities });
  await company.run('access');
  await company.run('catalog');
  await untilKnown();
});
after(() => company?.stop());

/** Until the catalog has read its files, and the other process has read the catalog */
async function untilKnown(): Promise<void> {
  await until('owners are known', async () => {
    assert.deepEqual(await seen(await signIn(people.olivia)), ['payments-api']);
    assert.deepEqual(await seen(await signIn(people.dana, [groups.searchEngineers.id])), ['search-api']);
    assert.deepEqual(await seen(await signIn(people.adam)), ['payments-api', 'portal-api', 'search-api']);
    assert.equal((await status()).directory.groups, 2);
  });
}

const entraToken = (person: User, ids?: string[]) =>
  company.tenant.mintAccessToken(person, ids ? { claims: { groups: ids } } : {});
const signIn = (person: User, ids?: string[]) => company.access.tokenFor(entraToken(person, ids));
const status = async () => (await company.access.call('/api/entra-access/v1/status', await signIn(people.adam))).body;

async function list(token: string) {
  return company.catalog.call('/api/catalog/entities/by-query?filter=kind=component&fields=metadata.name', token);
}
async function seen(token: string): Promise<string[]> {
  const { status: code, body } = await list(token);
  assert.equal(code, 200, JSON.stringify(body));
  return (body.items as Array<{ metadata: { name: string } }>).map(({ metadata }) => metadata.name).sort();
}
const read = async (token: string, name: string) =>
  (await company.catalog.call(`/api/catalog/entities/by-name/component/default/${name}`, token)).status;
const refresh = async (token: string, name: string) =>
  (await company.catalog.call('/api/catalog/refresh', token, { entityRef: `component:default/${name}` })).status;

/** Asks the permission backend, which has the catalog apply its conditions */
async function authorize(token: string, names: string[]): Promise<string[]> {
  const attributes = { action: 'update' };
  const permission = { type: 'resource', name: 'catalog.entity.refresh', attributes, resourceType: 'catalog-entity' };
  const items = names.map(name => ({ id: name, permission, resourceRef: `component:default/${name}` }));
  const { status: code, body } = await company.access.call('/api/permission/authorize', token, { items });
  assert.equal(code, 200, JSON.stringify(body));
  return body.items.map(({ result }: { result: string }) => result);
}

/** Has the catalog apply a condition, as the permission backend does */
async function apply(params: { epoch: number; session: number }, rule = 'IS_OWNED_BY_PRINCIPAL'): Promise<string> {
  const resourceType = 'catalog-entity';
  const conditions = { rule, resourceType, params: { principal: OLIVIA, ...params } };
  const item = { id: '1', resourceRef: 'component:default/payments-api', resourceType, conditions };
  const path = '/api/catalog/.well-known/backstage/permissions/apply-conditions';
  const { status: code, body } = await company.catalog.call(path, SERVICE_TOKEN, { items: [item] });
  assert.equal(code, 200, JSON.stringify(body));
  return body.items[0].result;
}

test('entities are listed, read and changed by whom the other process says that they belong to', async () => {
  const [olivia, dana] = [await signIn(people.olivia), await signIn(people.dana, [groups.searchEngineers.id])];
  assert.deepEqual(await seen(olivia), ['payments-api']);
  assert.deepEqual(await seen(dana), ['search-api']);
  assert.deepEqual([await read(olivia, 'payments-api'), await read(olivia, 'search-api')], [200, 404]);
  assert.deepEqual([await refresh(olivia, 'payments-api'), await refresh(olivia, 'search-api')], [200, 403]);
  const names = ['payments-api', 'search-api', 'portal-api', 'nothing'];
  assert.deepEqual(await authorize(olivia, names), ['ALLOW', 'DENY', 'DENY', 'DENY']);
  assert.deepEqual(await seen(await signIn(people.adam)), ['payments-api', 'portal-api', 'search-api']);
  assert.deepEqual(await seen(await signIn(people.rita, [])), []);
});

test('what is denied to owners is denied by the other process as well', async () => {
  const auditor = await signIn(people.greg, [groups.fabrikamStaff.id, groups.searchEngineers.id]);
  assert.deepEqual(await seen(auditor), ['payments-api', 'portal-api']);
  assert.deepEqual([await read(auditor, 'payments-api'), await read(auditor, 'search-api')], [200, 404]);
});

test('an Entra token is taken by the catalog as it is', async () => {
  assert.deepEqual(await seen(entraToken(people.olivia)), ['payments-api']);
  assert.equal(await read(entraToken(people.olivia), 'search-api'), 404);
});

test('a newer sign-in counts at once: the decision names it, and nobody answers from the one before', async () => {
  const old = await signIn(people.olivia);
  assert.deepEqual(await seen(old), ['payments-api']);
  const newer = await signIn(people.olivia, [groups.searchEngineers.id]);
  // No waiting: what was known a moment ago does not answer any more.
  assert.ok(!(await seen(old)).includes('payments-api'));
  await until('the new owners are known', async () => {
    for (const token of [old, newer]) assert.deepEqual(await seen(token), ['search-api']);
  });
  await signIn(people.olivia);
  await until('and those of before', async () => assert.deepEqual(await seen(old), ['payments-api']));
});

test('a group that stands for another team in the catalog takes its rights along', async () => {
  const [olivia, dana] = [await signIn(people.olivia), await signIn(people.dana, [groups.searchEngineers.id])];
  assert.deepEqual([await seen(olivia), await seen(dana)], [['payments-api'], ['search-api']]);
  const { epoch } = (await status()).directory;
  company.write('org.yaml', [team('payments', groups.searchEngineers.id), team('search', groups.payments.id)]);
  await until('the change is seen', async () => {
    assert.deepEqual([await seen(olivia), await seen(dana)], [['search-api'], ['payments-api']]);
  });
  assert.equal((await status()).directory.epoch > epoch, true);
  assert.deepEqual(await authorize(olivia, ['payments-api', 'search-api']), ['DENY', 'ALLOW']);
  company.write('org.yaml', ORG);
  await until('so is the way back', async () => {
    assert.deepEqual([await seen(olivia), await seen(dana)], [['payments-api'], ['search-api']]);
  });
});

test('a condition of a newer directory or sign-in than the other process has is not answered', async () => {
  const olivia = await signIn(people.olivia);
  assert.deepEqual(await seen(olivia), ['payments-api']);
  const { epoch } = (await status()).directory;
  const rules = ['IS_OWNED_BY_PRINCIPAL', 'IS_NOT_OWNED_BY_PRINCIPAL'];
  assert.equal(await apply({ epoch, session: 1 }), 'ALLOW');
  for (const newer of [
    { epoch: epoch + 1, session: 1 },
    { epoch, session: 1_000_000 },
  ]) {
    for (const rule of rules) assert.equal(await apply(newer, rule), 'DENY', JSON.stringify([newer, rule]));
  }
  await until('those that there are are answered', async () => {
    await seen(olivia);
    assert.equal(await apply({ epoch, session: 1 }), 'ALLOW');
  });
});

test('only the plugin catalog is told who owns what', async () => {
  const path = '/api/entra-access/v1/internal/owners';
  const ask = async (token?: string) => (await company.access.call(path, token, { principal: OLIVIA })).status;
  assert.equal(await ask(), 401);
  assert.equal(await ask('made-up'), 401);
  assert.equal(await ask(SERVICE_TOKEN), 403);
  assert.equal(await ask(await signIn(people.olivia)), 403);
  assert.equal(await ask(await signIn(people.adam)), 403, 'who is allowed everything is nobody here');
  assert.equal(await ask(entraToken(people.adam)), 403);
});

test('while the other process is away everything is refused, and nothing is answered from what was known', async () => {
  const olivia = await signIn(people.olivia);
  assert.deepEqual(await seen(olivia), ['payments-api']);
  const { epoch } = (await status()).directory;
  assert.equal(await apply({ epoch, session: 1 }), 'ALLOW');
  await company.kill('access');
  const refused = async () => {
    const { status: code, body } = await list(olivia);
    assert.ok(code >= 400 || body.items.length === 0, JSON.stringify(body));
    assert.notEqual(await read(olivia, 'payments-api'), 200);
    assert.notEqual(await refresh(olivia, 'payments-api'), 200);
  };
  await refused();
  await until('what was known is given up', async () => {
    await refused();
    assert.equal(await apply({ epoch, session: 1 }), 'DENY');
  });
  // Once for each reason: the connection ends, and then there is none.
  const said = company.output('catalog').match(/does not tell who owns what/g)?.length ?? 0;
  assert.ok(said >= 1 && said <= 3, company.output('catalog'));

  // With a database of its own that begins anew, so that its numbers are lower than those that the catalog has seen.
  await company.run('access');
  const withoutGroups = await signIn(people.olivia, []);
  assert.deepEqual(await seen(withoutGroups), [], 'what was known of her before is not hers any more');
  await untilKnown();
});

test('neither process says who somebody is, or shows a token', () => {
  for (const part of ['access', 'catalog'] satisfies Part[]) {
    assert.doesNotMatch(company.output(part), /eyJ[\w-]+\.|@[\w-]+\.(com|example)/);
  }
});
