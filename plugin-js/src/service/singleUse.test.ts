/** Single use between the core's word and the database: who is let in, and what happens while nobody can tell */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ServiceUnavailableError } from '@backstage/errors';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { databaseOf } from '../../e2e/support/databases';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore, type PrincipalHandle } from '../core';
import { coded } from './coded';
import { EntraAccess } from './entraAccess';
import { Refusals } from './refusal';
import { SessionStore } from './sessionStore';
import { SharedSessions } from './sharedSessions';
import { Telemetry } from '../telemetry/telemetry';

const CONFIGURATION = configurationOf({
  authority: 'http://127.0.0.1:1',
  tenantId: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
});
const USE = { issuer: 'https://gitlab.example', jti: 'jti-that-must-not-be-logged', until: 4_000_000_000 };

let database: Awaited<ReturnType<typeof databaseOf>>;
let logger: RecordingLogger;
const open: Array<{ close(): void }> = [];

beforeEach(async () => {
  logger = new RecordingLogger();
  database = await databaseOf('better-sqlite3', ':memory:');
});
afterEach(async () => {
  open.splice(0).forEach(each => each.close());
  await database.close();
});

async function replica(options: { attached?: boolean; storeExpected?: boolean } = {}): Promise<SharedSessions> {
  const { attached = true, storeExpected = true } = options;
  const core = new EntraCore({ configuration: CONFIGURATION, logger });
  const sessions = new SharedSessions({ core, logger, storeExpected, waitMs: 50 });
  if (attached) await sessions.attach(await SessionStore.open(database.service));
  open.push(sessions, core);
  return sessions;
}

test('a token counts once, at whichever replica', async () => {
  const [one, two] = [await replica(), await replica()];
  const all = await Promise.all([one.useOnce(USE), two.useOnce(USE), one.useOnce(USE), two.useOnce(USE)]);
  assert.deepEqual(all.filter(Boolean), [true]);
  assert.equal(await (await replica()).useOnce(USE), false, 'nor after a restart');
});

test('while the database is away no token is let in, and no log tells which', async () => {
  const sessions = await replica();
  await database.knex.schema.dropTable('entra_access_used_tokens');
  for (let at = 0; at < 3; at += 1) {
    await assert.rejects(sessions.useOnce(USE), (error: Error & { code?: string }) => {
      assert.deepEqual([error.name, error.code], ['ServiceUnavailableError', 'sessions_unavailable']);
      assert.ok(!error.message.includes(USE.jti));
      return true;
    });
  }
  assert.equal(logger.complaints.length, 1);
  assert.ok(!logger.lines.join('\n').includes(USE.jti), logger.lines.join('\n'));
});

test('before the database is there, and where there is none, no token is let in', async () => {
  for (const storeExpected of [true, false]) {
    const sessions = await replica({ attached: false, storeExpected });
    await assert.rejects(sessions.useOnce(USE), { name: 'ServiceUnavailableError', code: 'sessions_unavailable' });
  }
});

test('a token that is offered twice, or whose use cannot be claimed, leaves a record of whose it is', async () => {
  const pipeline = {
    type: 'gitlab',
    trust: 'staging',
    subject: '42',
    published: {},
    job: { job_id: '7' },
    singleUse: USE,
  };
  const away = coded('sessions_unavailable', new ServiceUnavailableError('away'));
  for (const [useOnce, code, event] of [
    [async () => false, 'token_replayed', 'token-refused'],
    [async () => Promise.reject(away), 'sessions_unavailable', 'sign-in'],
  ] as const) {
    const said: Array<Record<string, any>> = [];
    const audit = {
      require: async (record: Record<string, any>) => void said.push(record),
      countRefused: () => undefined,
    };
    const refusals = new Refusals(audit, new RecordingLogger());
    const parts = {
      core: { describe: () => ({ ...recordOf(), kind: 'pipeline', pipeline }), claimed: () => assert.fail() },
      sessions: { useOnce },
      refuse: refusals.refuse.bind(refusals),
      telemetry: new Telemetry(),
    };
    await assert.rejects(EntraAccess.prototype.claimUse.call(parts as unknown as EntraAccess, 1 as PrincipalHandle), {
      code,
    });
    assert.equal(said.length, 1, code);
    const [{ event: what, result, code: why, job }] = said as [Record<string, any>];
    assert.deepEqual([what, result, why, job.job_id], [event, 'DENY', code, '7']);
    assert.ok(!JSON.stringify(said).includes(USE.jti));
  }
});
