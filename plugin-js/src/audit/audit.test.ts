import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf } from '../../e2e/support/core';
import { callerOf, refusedToken, signedIn } from './callers';
import { csvHeader, csvLine } from './csv';
import { BackstageEvents } from './events';
import { ReadCounts } from './readCounts';
import type { AuditRow } from './records';
import { RefusedTokens } from './refusedTokens';

const rowOf = (record: object): AuditRow => ({
  ...{ chain: 'c', seq: 1, hash: 'h', at: 0, event: 'decision', result: 'DENY' },
  ...{ principal: null, resource: null, rule: null, reference: null },
  ...record,
  record: JSON.stringify({ chain: 'c', seq: 1, at: 0, ...record }),
});

test('of an agent both identities are recorded', () => {
  const agent = '0f9e0000-0000-4000-8000-00000000000a';
  const record = recordOf({ kind: 'agent', actor: { clientId: agent } });
  const { kind, identity, agent: acting } = callerOf(record);
  assert.deepEqual([kind, identity, acting], ['agent', `${record.tenantId}/${record.objectId}`, agent]);
  assert.deepEqual(callerOf(undefined), {});
});

test('a job is recorded by what its issuer calls it, and by no identity', () => {
  const pipeline = {
    ...{ type: 'gitlab' as const, trust: 'staging', subject: '42' },
    ...{ published: { project_id: '42' }, job: { job_id: '7' } },
  };
  const { identity, job } = callerOf({ ...recordOf(), kind: 'pipeline', pipeline });
  assert.equal(identity, undefined);
  assert.deepEqual(job, { job_id: '7', project_id: '42', trust: 'staging', subject: '42' });
});

test('a refused token is recorded by code and issuer, and a refused sign-in by who and why', () => {
  assert.deepEqual(refusedToken({ ok: false, code: 'token_expired', advice: 'x' }), {
    ...{ event: 'token-refused', result: 'DENY', code: 'token_expired', issuer: undefined },
  });
  const refused = signedIn(recordOf({ name: 'Jane' }), undefined, 'principal_conflict');
  assert.deepEqual([refused.result, refused.code, refused.principal], ['DENY', 'principal_conflict', undefined]);
  assert.ok(!JSON.stringify(refused).includes('Jane'));
});

test('a cell that a program would take for a formula is a text', () => {
  const cells = (rule: string) => csvLine(rowOf({ rule })).split(',')[csvHeader.split(',').indexOf('rule')];
  assert.equal(cells('=1+1'), `"'=1+1"`);
  assert.equal(cells('owners'), 'owners');
  assert.match(csvLine(rowOf({ rule: 'a "b", c' })), /,"a ""b"", c",/);
  assert.ok(csvLine(rowOf({ rule: '\n' })).endsWith(',h\r\n'));
});

test('counts are by permission, and bounded', () => {
  let now = 1;
  const counts = new ReadCounts(() => now);
  for (let name = 0; name < 300; name += 1) counts.add(`p${name}`);
  counts.add('p1');
  now = 2;
  const taken = counts.take();
  assert.equal(taken.length, 201);
  assert.deepEqual(taken[1], { event: 'reads', permission: 'p1', count: 2, since: 1 });
  assert.deepEqual(taken.at(-1), { event: 'reads', permission: '(others)', count: 100, since: 1 });
  assert.deepEqual(counts.take(), []);
});

test('of a flood of refused tokens the first are recorded each, and the others in one record that counts them', () => {
  let now = 1;
  let references = 0;
  const refused = new RefusedTokens(() => now);
  const record = (code: string, more: object = {}) => ({
    ...refusedToken({ ok: false, code: code as 'key_unknown', advice: 'x' }),
    issuer: 'entra',
    reasons: [`${code}!`],
    ...more,
  });
  const count = (...of: Parameters<typeof record>) => refused.count(record(...of), () => `R${(references += 1)}`);
  for (let time = 0; time < 100; time += 1) assert.equal(count('key_unknown'), undefined);
  now = 7;
  assert.deepEqual(count('key_unknown'), { reference: 'R1', count: 1 });
  assert.deepEqual(count('key_unknown'), { reference: 'R1', count: 2 });
  // Another kind, another issuer, somebody who is proved: each by itself.
  const others = [['token_expired'], ['key_unknown', { issuer: 'gitlab' }], ['key_unknown', { identity: 't/o' }]];
  for (const other of others as Array<[string, object?]>) assert.equal(count(...other), undefined);
  const [taken, ...more] = refused.take();
  const reasons = ['key_unknown!', 'counted: more than 100 of the kind came within a minute'];
  const { code, issuer, count: many, since, reference } = taken!;
  assert.deepEqual(
    [code, issuer, many, since, reference, taken!.reasons],
    ['key_unknown', 'entra', 2, 7, 'R1', reasons],
  );
  assert.deepEqual([more, refused.take()], [[], []]);
  assert.equal(count('key_unknown'), undefined, 'counting begins anew');
});

test('what is held of a flood is bounded, and nothing of it is lost in number', () => {
  const refused = new RefusedTokens(() => 1);
  let full = 0;
  for (let time = 0; time < 5_000; time += 1) {
    const record = {
      event: 'token-refused',
      code: 'principal_revoked',
      issuer: 'entra',
      identity: `t/${time}`,
    } as const;
    if (!refused.count(record, () => 'R')) full += 1;
  }
  const taken = refused.take();
  assert.deepEqual([taken.length, full, full + (taken[0]?.count ?? 0)], [1, 1_100, 5_000]);
  assert.equal(taken[0]?.identity, undefined, 'it is of many');
});

test('the auditor hears of refusals and of a head that went on, and its failure is nobody’s', async () => {
  const heard: Array<[string, string | undefined, any]> = [];
  const events = new BackstageEvents({
    async createEvent({ eventId, severityLevel, meta }) {
      heard.push([eventId, severityLevel, meta?.seq]);
      if (heard.length > 2) throw new Error('no auditor');
      return { success: async () => undefined, fail: async () => undefined };
    },
  });
  events.recorded([rowOf({ seq: 1 }), rowOf({ seq: 2, result: 'ALLOW' }), rowOf({ seq: 3, event: 'reads' })]);
  const trail = { chain: 'c', head: { seq: 9, hash: 'h' } };
  await events.head(trail);
  await events.head(trail);
  await events.head({ ...trail, head: { seq: 10, hash: 'i' } });
  assert.deepEqual(heard, [
    ['permission-evaluate', 'medium', 1],
    ['audit-head', 'medium', 9],
    ['audit-head', 'medium', 10],
  ]);
});
