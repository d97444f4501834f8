import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf } from '../../e2e/support/core';
import { callerOf, refusedToken, signedIn } from './callers';
import { csvHeader, csvLine } from './csv';
import { BackstageEvents } from './events';
import { ReadCounts } from './readCounts';
import type { AuditRow } from './records';

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
