/** Jobs at a backend of two replicas: processes of their own, with one database */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pipelinesOf } from '../dev/ci/trust';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, type Replica } from './support/replicas';

const options = { skip: WITHOUT_POSTGRES };

let postgres: Postgres;
let company: Awaited<ReturnType<typeof startCompany>>;
let one: Replica;
let two: Replica;
before(async () => {
  if (WITHOUT_POSTGRES) return;
  postgres = await startPostgres();
  company = await startCompany({
    database: () => ({ client: 'pg', connection: postgres.connection }),
    named: {},
    pointedTo: {},
    entraAccess: ({ ci }) => ({ pipelines: pipelinesOf(ci) }),
  });
  // One after the other: both make tables.
  one = await company.replica('one');
  two = await company.replica('two');
});
after(async () => {
  await company?.stop();
  await postgres?.stop();
});

const jobToken = (job: string) => company.tenant.ci.mint(job);
const codeOf = ({ status, body }: { status: number; body: any }) => (status === 200 ? 'ok' : body.error.code);

test('a single-use token that one replica took is refused by the other', options, async () => {
  const token = jobToken('gitlab-staging');
  assert.equal(codeOf(await one.client.signIn(token)), 'ok');
  assert.equal(codeOf(await two.client.signIn(token)), 'token_replayed');
  assert.equal(codeOf(await two.client.call('/api/entra-access/v1/whoami', token)), 'token_replayed');
});

test('of twenty who offer it at both at once one is let in', options, async () => {
  const token = jobToken('gitlab-staging');
  const answers = Array.from({ length: 20 }, (_, at) => (at % 2 ? one : two).client.signIn(token));
  const codes = (await Promise.all(answers)).map(codeOf);
  assert.deepEqual(codes.sort(), ['ok', ...Array.from({ length: 19 }, () => 'token_replayed')]);
});

test('a job that signed in at one replica is the same at the other', options, async () => {
  const token = await one.client.tokenFor(jobToken('gitlab-staging'));
  const { status, body } = await two.client.call('/api/entra-access/v1/whoami', token);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.kind, body.pipeline.trust], ['pipeline', 'payments-staging']);
});

test('while the database is away no job comes in, single use or not, and the token is not lost', options, async () => {
  const tokens = ['gitlab-staging', 'github-staging'].map(jobToken);
  await postgres.stop();
  for (const token of tokens) {
    const { status, body } = await one.client.signIn(token);
    assert.equal(status, 503, JSON.stringify(body));
    // Neither the session nor the record of its refusal can be written: which is said hangs on who gives up first.
    assert.match(body.error.code, /^(sessions|audit)_unavailable$/);
  }
});
