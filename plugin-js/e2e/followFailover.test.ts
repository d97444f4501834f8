/** PostgreSQL stops under two replicas and comes back, or a writer is gone in its turn: nobody restarts the others, and nobody has to */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groups, people, type User } from '../dev/tenant/people';
import { databaseOf } from './support/databases';
import { followingSections } from './support/follow';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, until, type Replica } from './support/replicas';

const skip = WITHOUT_POSTGRES;
const REFRESH = {
  ...{ type: 'resource', name: 'catalog.entity.refresh', resourceType: 'catalog-entity' },
  attributes: { action: 'update' },
};
const WHOAMI = { type: 'basic', name: 'entra-access.whoami.read', attributes: { action: 'read' } };
const { adam, dana, olivia, rita } = people;

type Company = Awaited<ReturnType<typeof startCompany>>;

let postgres: Postgres;
let company: Company;
let replicas: Replica[];

before(async () => {
  if (skip) return;
  postgres = await startPostgres();
  company = await startCompany({
    database: () => ({ client: 'pg', connection: postgres.connection }),
    named: {},
    pointedTo: {},
    entraAccess: (tenant, baseUrl) => ({
      ...followingSections(tenant, baseUrl, 10),
      // Otherwise nothing would be decided while the trail cannot be written.
      audit: { unavailable: 'answer' },
    }),
  });
  replicas = [await company.replica('one'), await company.replica('two')];
});
after(async () => {
  await company?.stop();
  await postgres?.stop();
});

/** What a replica answers: the policy's word, the code of a refusal, or the status of an answer that is neither */
async function answerOf({ client }: Replica, token: string, permission: object): Promise<string> {
  const item = { id: '1', permission, ...('resourceType' in permission && { resourceRef: 'component:default/any' }) };
  const { status, body } = await client.call('/api/permission/authorize', token, { items: [item] });
  return status === 200 ? body.items[0].result : (body?.error?.code ?? String(status));
}

const onBoth = (ask: (replica: Replica, at: number) => Promise<string>) => Promise.all(replicas.map(ask));

test('a failover of PostgreSQL', { skip }, async () => {
  const { tenant } = company;
  const tokensOf = (person: User) =>
    Promise.all(replicas.map(({ client }) => client.tokenFor(tenant.mintAccessToken(person))));
  const [adams, olivias, ritas] = [await tokensOf(adam), await tokensOf(olivia), await tokensOf(rita)];
  const answers = async () => ({
    adam: await onBoth((replica, at) => answerOf(replica, adams[at] ?? '', REFRESH)),
    olivia: await onBoth((replica, at) => answerOf(replica, olivias[at] ?? '', WHOAMI)),
    rita: await onBoth((replica, at) => answerOf(replica, ritas[at] ?? '', REFRESH)),
  });
  const [yes, no] = [
    ['ALLOW', 'ALLOW'],
    ['DENY', 'DENY'],
  ];
  await until('both replicas follow', async () =>
    assert.deepEqual(await answers(), { adam: yes, olivia: yes, rita: no }),
  );

  await postgres.pause();
  try {
    // All that is decided in between is of the state before.
    tenant.directory.removeMember(groups.platformAdmins.id, adam.oid);
    tenant.directory.addMember(groups.platformAdmins.id, rita.oid);
    tenant.directory.setEnabled(olivia.oid, false);
    const seen = { adam: new Set<string>(), olivia: new Set<string>(), rita: new Set<string>() };
    for (let round = 0; round < 6; round += 1) {
      const now = await answers();
      for (const who of ['adam', 'olivia', 'rita'] as const) now[who].forEach(answer => seen[who].add(answer));
      await new Promise(resolve => setTimeout(resolve, 500));
    }
    const isRefusal = (answer: string) =>
      answer === 'DENY' || answer === 'sessions_unavailable' || /^5\d\d$/.test(answer);
    const wrong = (answers: Set<string>, known: string) =>
      [...answers].filter(answer => answer !== known && !isRefusal(answer));
    assert.deepEqual(wrong(seen.adam, 'ALLOW'), []);
    assert.deepEqual(wrong(seen.olivia, 'ALLOW'), []);
    assert.deepEqual(wrong(seen.rita, 'DENY'), []);
    assert.equal(seen.adam.has('ALLOW'), true, 'what is known goes on: an outage is none of Backstage');
  } finally {
    await postgres.resume();
  }

  await until('what has changed meanwhile arrives on both', async () =>
    assert.deepEqual(await answers(), {
      adam: no,
      olivia: ['principal_revoked', 'principal_revoked'],
      rita: yes,
    }),
  );
  for (const [at, { client }] of replicas.entries()) {
    const { status, body } = await client.call('/api/entra-access/v1/status', ritas[at]);
    assert.equal(status, 200, JSON.stringify(body));
    const [{ complete, lagSeconds, error, feeds }] = body.follow;
    assert.deepEqual([complete, lagSeconds, error], [true, 0, undefined]);
    assert.deepEqual(
      feeds.map(({ state, error: why }: { state: string; error?: string }) => [state, why]),
      [
        ['following', undefined],
        ['following', undefined],
      ],
    );
  }
  // And whoever signs in is signed in.
  await tokensOf(rita);
});

test('a replica that was killed in its turn keeps nobody from being asked for', { skip }, async () => {
  const { tenant } = company;
  const tokens = await Promise.all(replicas.map(({ client }) => client.tokenFor(tenant.mintAccessToken(dana))));
  const answers = () => onBoth((replica, at) => answerOf(replica, tokens[at] ?? '', WHOAMI));
  assert.deepEqual(await answers(), ['ALLOW', 'ALLOW']);
  // As `kill -9` leaves it: nobody else has a turn until it expires.
  const { knex, close } = await databaseOf('pg', postgres.connection);
  const task = () => knex('backstage_backend_tasks__tasks').where({ id: 'follow-entra' });
  await until('the task is taken', async () => {
    const taken = { current_run_ticket: 'gone', current_run_expires_at: knex.raw("now() + interval '1 hour'") };
    assert.equal(await task().whereNull('current_run_ticket').update(taken), 1);
  });
  // Nobody is told of it either.
  tenant.subscriptions.clear();
  tenant.directory.setEnabled(dana.oid, false);
  await until('it is in force', async () => assert.deepEqual(await answers(), Array(2).fill('principal_revoked')));
  assert.equal((await task().first()).current_run_ticket, 'gone');
  await close();
});
