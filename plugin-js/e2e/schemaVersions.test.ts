/** Replicas of different versions on one database: what the older one cannot read it does not guess */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { groups, people, type User } from '../dev/tenant/people';
import { SERVICE_TOKEN } from './support/company';
import { databaseOf } from './support/databases';
import { followingSections } from './support/follow';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';
import { startCompany, until, type Replica } from './support/replicas';

const skip = WITHOUT_POSTGRES;
const FEEDS = 'entra_access_feeds';
const SESSIONS = 'entra_access_sessions';
const LATER = '20991231000000_of_a_later_version.js';
const STATUS = '/api/entra-access/v1/status';
const WHOAMI = '/api/entra-access/v1/whoami';
const { adam, chloe, dana, olivia, rita } = people;

type Company = Awaited<ReturnType<typeof startCompany>>;

let postgres: Postgres;
let company: Company;
let one: Replica;
let database: Awaited<ReturnType<typeof databaseOf>>;

before(async () => {
  if (skip) return;
  postgres = await startPostgres();
  company = await startCompany({
    database: () => ({ client: 'pg', connection: postgres.connection }),
    named: {},
    pointedTo: {},
    entraAccess: (tenant, baseUrl) => followingSections(tenant, baseUrl, 10),
  });
  one = await company.replica('one');
  database = await databaseOf('pg', { ...postgres.connection });
});
after(async () => {
  await database?.close();
  await company?.stop();
  await postgres?.stop();
});

const tokenOn = ({ client }: Replica, person: User) => client.tokenFor(company.tenant.mintAccessToken(person));
/** The code of a refusal, or the status */
const whoami = async ({ client }: Replica, token: string) => {
  const { status, body } = await client.call(WHOAMI, token);
  return status === 401 ? body.error?.code : status;
};
const followOf = async ({ client }: Replica) => {
  const { status, body } = await client.call(STATUS, SERVICE_TOKEN);
  assert.equal(status, 200, JSON.stringify(body));
  return body.follow[0];
};
const statusFor = async ({ client }: Replica, token: string) => (await client.call(STATUS, token)).status;
const disable = ({ oid }: User) => company.tenant.directory.setEnabled(oid, false);

test('a replica runs on while a later version adds to the tables', { skip }, async () => {
  const adams = await tokenOn(one, adam);
  await until('the tenant is known', async () => assert.equal(await statusFor(one, adams), 200));
  for (const table of [FEEDS, SESSIONS, 'entra_access_accounts', 'entra_access_members', 'entra_access_revisions'])
    await database.knex.schema.alterTable(table, columns => void columns.string('of_a_later_version').nullable());
  await database.knex('knex_migrations').insert({ name: LATER, batch: 99, migration_time: new Date() });
  const danas = await tokenOn(one, dana);
  assert.equal(await whoami(one, danas), 200);
  disable(dana);
  await until('a change arrives', async () => assert.equal(await whoami(one, danas), 'principal_revoked'));
});

test('one that starts then says which version it needs, and does not serve', { skip }, async t => {
  t.after(() => database.knex('knex_migrations').where({ name: LATER }).delete());
  await assert.rejects(company.replica('older'), ({ message }: Error) => {
    assert.match(message, new RegExp(`was brought up to date by a later version .*${LATER.slice(0, -3)}`));
    assert.doesNotMatch(message, /corrupt/);
    return true;
  });
});

test('rows of another form are not read, nor written, and the status says so', { skip }, async () => {
  const olivias = await tokenOn(one, olivia);
  const ritas = await tokenOn(one, rita);
  assert.deepEqual([await whoami(one, olivias), await statusFor(one, ritas)], [200, 403]);
  // As the later version would write it: a write of this one that is under way finds another number.
  const users = () => database.knex(FEEDS).where({ feed: 'users' });
  await users().update({ format: 99, revision: database.knex.raw('revision + 1') });
  const before = await users().first();

  disable(olivia);
  company.tenant.directory.addMember(groups.platformAdmins.id, rita.oid);
  await until('groups are of the form that it knows', async () => assert.equal(await statusFor(one, ritas), 200));
  assert.equal(await whoami(one, olivias), 200, 'what it knows counts until it is too old');
  const after = await users().first();
  assert.deepEqual(after, before);
  await until('it says so', async () => {
    const [accounts, others] = (await followOf(one)).feeds;
    assert.deepEqual([accounts.feed, accounts.state], ['users', 'held']);
    assert.match(accounts.error, /a later version/);
    assert.equal(others.state, 'following');
  });

  const two = await company.replica('two');
  const adams = await tokenOn(two, adam);
  const { body } = await two.client.call(WHOAMI, adams);
  assert.equal(body.groups.state, 'unknown');
  assert.match(body.groups.reason, /^groups_unknown: /);
  assert.equal(await statusFor(two, adams), 403, 'an administrator by a group that it cannot read');
  const { complete, feeds } = await followOf(two);
  assert.equal(complete, false);
  assert.match(feeds[0].error, /a later version/);

  await users().update({ format: 1, revision: database.knex.raw('revision + 1') });
  await until('both know again', async () => {
    assert.deepEqual(await Promise.all([one, two].map(each => whoami(each, olivias))), [
      'principal_revoked',
      'principal_revoked',
    ]);
    assert.equal(await statusFor(two, adams), 200);
  });
  await two.stop();
});

test(
  'a sign-in that an earlier version wrote is older than anything: it counts again after another one',
  { skip },
  async () => {
    const early = await tokenOn(one, chloe);
    assert.equal(await whoami(one, early), 200);
    // It does not know of the column and leaves it as it is, and each write of it is found by its number.
    const revisions = () => database.knex('entra_access_revisions').where({ name: 'sessions' });
    await revisions().increment('value', 1);
    const { value } = await revisions().first();
    const written = database.knex(SESSIONS).where({ entity_ref: `user:default/${chloe.oid}` });
    assert.equal(await written.update({ revision: value }), 1);
    await until('it is refused', async () => assert.equal(await whoami(one, early), 'principal_revoked'));
    const late = await tokenOn(one, chloe);
    assert.equal(await whoami(one, late), 200);
  },
);
