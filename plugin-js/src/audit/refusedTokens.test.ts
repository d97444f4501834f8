/** What refused tokens that come in numbers are told apart by, and what is left of it in the record that counts them */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedTokens } from './refusedTokens';

const replayed = (trust: string, subject: string, jobId = '1') =>
  ({
    event: 'token-refused',
    result: 'DENY',
    code: 'token_replayed',
    issuer: 'gitlab',
    kind: 'pipeline',
    job: { job_id: jobId, trust, subject },
  }) as const;

/** How many of them are recorded each by itself */
function alone(refused: RefusedTokens, record: ReturnType<typeof replayed>, times = 1): number {
  const reference = () => `${record.job.trust}/${record.job.subject}`;
  return Array.from({ length: times }, () => refused.count(record, reference)).filter(one => one === undefined).length;
}

test('one used token of a pipeline that comes over and over hides no other pipeline', () => {
  const refused = new RefusedTokens(() => 7);
  assert.equal(alone(refused, replayed('staging', '42'), 150), 100);
  assert.equal(alone(refused, replayed('staging', '43')), 1, 'another project of the same trust');
  assert.equal(alone(refused, replayed('production', '42')), 1, 'the same project by another trust');
  assert.equal(alone(refused, replayed('staging', '42', '2')), 0, 'another job of the same pipeline');
});

test('the record that counts says which pipeline it was, and nothing of one job', () => {
  const refused = new RefusedTokens(() => 7);
  alone(refused, replayed('staging', '42'), 103);
  const [counted, ...more] = refused.take();
  assert.deepEqual(counted?.job, { trust: 'staging', subject: '42' });
  assert.deepEqual([counted?.count, counted?.since, counted?.reference, more], [3, 7, 'staging/42', []]);
});

test('who is not proved has no pipeline', () => {
  const refused = new RefusedTokens(() => 7);
  const record = { event: 'token-refused', result: 'DENY', code: 'signature_invalid', issuer: 'gitlab' } as const;
  for (let time = 0; time < 101; time += 1) refused.count(record, () => 'one');
  assert.equal(refused.take()[0]?.job, undefined);
});
