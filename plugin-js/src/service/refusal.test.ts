import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConflictError, serializeError, ServiceUnavailableError } from '@backstage/errors';
import { RecordingLogger } from '../../e2e/support/logger';
import type { AuditRecord } from '../audit/records';
import { TokenRejectedError } from '../core';
import { coded } from './coded';
import { newReference, Refusals } from './refusal';

const RECORD = { event: 'sign-in', result: 'DENY' } as const;

function refusals(unrecorded?: Error) {
  const records: Array<Omit<AuditRecord, 'at'>> = [];
  const logger = new RecordingLogger();
  const audit = {
    async require(record: Omit<AuditRecord, 'at'>) {
      records.push(record);
      if (unrecorded) throw unrecorded;
    },
    countRefused: () => undefined as { reference: string; count: number } | undefined,
  };
  return { refusals: new Refusals(audit, logger), audit, records, logger };
}

test('references are ten letters that can be read out, and no two are alike', () => {
  const all = Array.from({ length: 1000 }, newReference);
  assert.ok(all.every(reference => /^[0-9A-HJKMNP-TV-Z]{10}$/.test(reference)));
  assert.equal(new Set(all).size, 1000);
});

test('whoever is refused reads a safe sentence, and what names others is recorded', async () => {
  const { refusals: refusing, records, logger } = refusals();
  const error = coded('principal_conflict', new ConflictError('user:default/a and user:default/b have one object id'));
  const refused = await refusing.refuse(error, RECORD);
  assert.equal(refused, error, 'still of its class');
  const shown = JSON.stringify(serializeError(refused, { includeStack: true }));
  assert.doesNotMatch(shown, /user:default/);
  assert.ok(shown.includes(`"reference":"${refused.reference}"`) && shown.includes(`(reference ${refused.reference})`));
  assert.deepEqual(records, [
    {
      ...RECORD,
      code: 'principal_conflict',
      reasons: ['user:default/a and user:default/b have one object id'],
      reference: refused.reference,
    },
  ]);
  assert.deepEqual(logger.lines, [`info: refused: principal_conflict (reference ${refused.reference})`]);
});

test('of an error that nobody wrote to be read, such as a database driver’s, only the kind is told and recorded', async () => {
  const { refusals: refusing, records } = refusals();
  const error = Object.assign(new Error("insert into user_info values ('user:default/a') - disk full"), {
    code: 'SQLITE_FULL',
    sql: 'insert',
  });
  const refused = await refusing.refuse(error, RECORD);
  assert.doesNotMatch(JSON.stringify(serializeError(refused, { includeStack: true })), /insert|user:default/);
  assert.deepEqual([refused.name, (refused as any).code], ['ServiceUnavailableError', 'sign_in_unavailable']);
  const [{ code, reasons }] = records as [Omit<AuditRecord, 'at'>];
  assert.deepEqual([code, reasons], ['sign_in_unavailable', ['unexpected: SQLITE_FULL']]);
});

test('where there is no audit trail the log has the full reason under the reference', async () => {
  const logger = new RecordingLogger();
  const refusing = new Refusals({ require: () => undefined, countRefused: () => undefined }, logger);
  const error = coded('principal_conflict', new ConflictError('user:default/a and user:default/b have one object id'));
  const { reference } = await refusing.refuse(error, RECORD);
  assert.deepEqual(logger.lines, [
    `info: refused: principal_conflict (reference ${reference}): user:default/a and user:default/b have one object id`,
  ]);
});

test('what has a reference is not refused again', async () => {
  const { refusals: refusing, records } = refusals();
  const once = await refusing.refuse(new TokenRejectedError({ ok: false, code: 'token_expired', advice: 'x' }), RECORD);
  const { message, reference } = once;
  const twice = await refusing.refuse(once, RECORD);
  assert.deepEqual([twice.message, twice.reference, records.length], [message, reference, 1]);
});

test('a refusal that cannot be recorded is told so under the same reference', async () => {
  const { refusals: refusing, records } = refusals(coded('audit_unavailable', new ServiceUnavailableError('away')));
  const refused = await refusing.refuse(
    new TokenRejectedError({ ok: false, code: 'token_expired', advice: 'x' }),
    RECORD,
  );
  assert.deepEqual([refused.name, (refused as any).code], ['ServiceUnavailableError', 'audit_unavailable']);
  assert.equal(refused.reference, records[0]?.reference);
});

test('what is away says so itself, recorded or not', async () => {
  const { refusals: refusing } = refusals(coded('audit_unavailable', new ServiceUnavailableError('away')));
  const error = coded('sessions_unavailable', new ServiceUnavailableError('no sessions'));
  const refused = await refusing.refuse(error, RECORD);
  assert.equal((refused as any).code, 'sessions_unavailable');
  assert.match(refused.message, /^no sessions \(reference /);
});

test('a refusal that is counted has the reference of the record that counts it, and is logged once', async () => {
  const { refusals: refusing, audit, records, logger } = refusals();
  let count = 0;
  audit.countRefused = () => ({ reference: '0123456789', count: (count += 1) });
  for (let time = 0; time < 3; time += 1) {
    const error = new TokenRejectedError({ ok: false, code: 'token_expired', advice: 'x' });
    const refused = await refusing.refuse(error, { event: 'token-refused', result: 'DENY' });
    assert.deepEqual([refused, refused.reference], [error, '0123456789']);
    assert.match(refused.message, / \(reference 0123456789\)$/);
  }
  assert.deepEqual([records, logger.lines.length], [[], 1]);
});

test('an error of Backstage that has no code is shown with the one that is recorded', async () => {
  const { refusals: refusing, records } = refusals();
  const refused = await refusing.refuse(new ConflictError('ended'), RECORD);
  assert.deepEqual([(refused as any).code, records[0]?.code], ['sign_in_incomplete', 'sign_in_incomplete']);
});

test('whatever is away is told by a code that the document has for it', async () => {
  const { refusals: refusing, records } = refusals();
  const foreign = Object.assign(new ServiceUnavailableError('away'), { code: 'ECONNREFUSED' });
  for (const error of [new ServiceUnavailableError('no keys'), foreign]) {
    const { code } = (await refusing.refuse(error, RECORD)) as { code?: string };
    assert.deepEqual([code, records.at(-1)?.code], ['sign_in_unavailable', 'sign_in_unavailable']);
  }
});
