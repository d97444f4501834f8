import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { HttpAuthService } from '@backstage/backend-plugin-api';
import type { Request } from 'express';
import { groups, people } from '../../dev/tenant/people';
import { configurationOf, DIRECTORY, POLICY, recordOf } from '../../e2e/support/core';
import { databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraAccess } from '../service/entraAccess';
import { ownersAnswerSchema, ownersQuestionSchema, type OwnersAnswer } from '../service/ownersQuestion';
import { SessionStore } from '../service/sessionStore';
import { onlyCatalog, ownersOf } from './owners';

const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const OLIVIA = `user:default/${people.olivia.oid}`;
const TEAM = 'group:default/payments';

let database: Awaited<ReturnType<typeof databaseOf>>;
let entraAccess: EntraAccess;
beforeEach(async () => {
  database = await databaseOf('better-sqlite3', ':memory:');
  entraAccess = await started();
  assert.ok(entraAccess.core.setDirectory(DIRECTORY).ok);
  entraAccess.directory.catalogIs(4);
});
afterEach(async () => {
  entraAccess.close();
  await database.close();
});

async function started(): Promise<EntraAccess> {
  const json = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const policy = { json: POLICY, place: 'policy' };
  const made = new EntraAccess({ json, policy }, new RecordingLogger(), { storeExpected: true });
  await made.sessions.attach(await SessionStore.open({ ...database.service, getClient: async () => database.knex }));
  return made;
}

function signIn(at: EntraAccess, ids: string[], state: 'known' | 'unknown' = 'known', expiresAt = IN_AN_HOUR) {
  return at.sessions.establish(OLIVIA, recordOf({ objectId: people.olivia.oid, groups: { state, ids } }), expiresAt);
}

/** Through the schemas, as over HTTP */
async function ask(more: object = {}): Promise<OwnersAnswer> {
  const answer = await ownersOf(entraAccess, ownersQuestionSchema.parse({ principal: OLIVIA, ...more }));
  return ownersAnswerSchema.parse(JSON.parse(JSON.stringify(answer)));
}

async function versionOf(more: object = {}): Promise<string> {
  const answer = await ask(more);
  return answer.state === 'signedIn' ? answer.version : assert.fail(answer.state);
}

test('tells the owners that own something, those that may count, and by which numbers', async () => {
  await signIn(entraAccess, [groups.payments.id]);
  const answer = await ask();
  assert.ok(answer.state === 'signedIn');
  const { version, ...rest } = answer;
  assert.deepEqual(rest, {
    state: 'signedIn',
    epoch: 4,
    session: 1,
    expiresAt: IN_AN_HOUR,
    owning: [TEAM],
    possible: [TEAM, OLIVIA],
  });
  assert.deepEqual(await ask({ version }), { state: 'unchanged', epoch: 4, session: 1, expiresAt: IN_AN_HOUR });
  entraAccess.directory.catalogIs(5);
  assert.deepEqual(await ask({ version }), { state: 'unchanged', epoch: 5, session: 1, expiresAt: IN_AN_HOUR });
  assert.equal((await ask({ version: 'another' })).state, 'signedIn');
});

test('whatever changes the owners is another version', async () => {
  await signIn(entraAccess, [], 'unknown');
  const versions = [await versionOf()];
  entraAccess.sessions.complete(OLIVIA, entraAccess.sessions.record(OLIVIA)!, [groups.payments.id]);
  versions.push(await versionOf());
  assert.ok(entraAccess.core.setDirectory({ ...DIRECTORY, owners: [] }).ok);
  versions.push(await versionOf());
  await signIn(entraAccess, []);
  versions.push(await versionOf());
  assert.equal(new Set(versions).size, versions.length, versions.join(' '));
});

test('unknown groups are not none', async () => {
  await signIn(entraAccess, [], 'unknown');
  const answer = await ask();
  assert.ok(answer.state === 'signedIn');
  assert.deepEqual([answer.owning, answer.possible], [[], null]);
});

test('nobody is signed in, or no longer', async t => {
  assert.deepEqual(await ask(), { state: 'nobody' });
  assert.deepEqual(await ask({ principal: 'user:default/\u0000' }), { state: 'nobody' });
  entraAccess.close();
  // Before it is made: it takes the clock that it finds.
  t.mock.timers.enable({ apis: ['Date'], now: (IN_AN_HOUR - 60) * 1000 });
  entraAccess = await started();
  await signIn(entraAccess, []);
  assert.equal((await ask()).state, 'signedIn');
  t.mock.timers.setTime(IN_AN_HOUR * 1000);
  assert.deepEqual(await ask(), { state: 'nobody' });
});

test('a sign-in on another replica is found, and a newer one looked for where the question says that there is one', async () => {
  const other = await started();
  await signIn(other, [groups.payments.id]);
  assert.equal((await ask()).state, 'signedIn');
  await signIn(other, [], 'known', IN_AN_HOUR + 60);
  const owning = async (more: object) => {
    const answer = await ask(more);
    return answer.state === 'signedIn' ? answer.owning : answer.state;
  };
  assert.deepEqual(await owning({}), [TEAM], 'nobody said that there is a newer one');
  assert.deepEqual(await owning({ until: IN_AN_HOUR + 60 }), []);
  await signIn(other, [groups.payments.id]);
  assert.deepEqual(await owning({ session: 3 }), [TEAM]);
  other.close();
});

test('a newer directory is got where the question says that there is one', async () => {
  entraAccess.directory.follow(async () => entraAccess.directory.catalogIs(6));
  await signIn(entraAccess, []);
  const answer = await ask({ epoch: 5 });
  assert.ok(answer.state === 'signedIn');
  assert.equal(answer.epoch, 6);
});

test('while the database does not answer, nobody is taken for not signed in', async t => {
  t.mock.method(database.knex.client, 'query', () => Promise.reject(new Error('away')));
  await assert.rejects(ask(), { name: 'ServiceUnavailableError', code: 'sessions_unavailable' });
});

test('while the core is being restarted there is no answer', async t => {
  await signIn(entraAccess, [groups.payments.id]);
  t.mock.getter(entraAccess.core, 'available', () => false);
  await assert.rejects(ask(), { name: 'ServiceUnavailableError', code: 'core_unavailable' });
});

test('nobody asks but the plugin catalog for itself', async () => {
  const asking = (subject: string) => {
    const credentials = async (_request: unknown, options: unknown) => {
      assert.deepEqual(options, { allow: ['service'] });
      return { principal: { type: 'service', subject } };
    };
    return onlyCatalog({ credentials } as unknown as HttpAuthService, {} as Request);
  };
  await asking('plugin:catalog');
  for (const subject of ['plugin:scaffolder', 'external:catalog', 'catalog', 'plugin:catalog2', 'entra:x:y', '']) {
    await assert.rejects(asking(subject), { name: 'NotAllowedError', code: 'permission_needed' }, subject);
  }
});

test('a question is read strictly', () => {
  const good = { principal: OLIVIA, epoch: 1, session: 2, until: 3, version: 'x' };
  assert.ok(ownersQuestionSchema.safeParse(good).success);
  for (const change of [
    ...[{ principal: '' }, { principal: 7 }, { principal: undefined }, { more: 1 }],
    ...[{ epoch: -1 }, { session: 1.5 }, { until: '3' }, { version: 'x'.repeat(300) }],
  ]) {
    assert.equal(ownersQuestionSchema.safeParse({ ...good, ...change }).success, false, JSON.stringify(change));
  }
});

test('a core that dies of the question has not said that nobody is signed in', async () => {
  await signIn(entraAccess, [groups.payments.id]);
  assert.equal((await ask()).state, 'signedIn');
  const { core } = entraAccess;
  let alive = true;
  Object.defineProperty(core, 'available', { get: () => alive });
  core.owners = () => {
    alive = false;
    return undefined;
  };
  await assert.rejects(ask(), { name: 'ServiceUnavailableError', code: 'core_unavailable' });
});
