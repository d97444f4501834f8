/** The recorded run in small: under load the process is killed and the database goes away, and the trail is held against the answers */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { holds, recordedRun, type RunReport } from '../dev/auditRun/recordedRun';
import { startPostgres, WITHOUT_POSTGRES, type Postgres } from './support/postgres';

const DECISIONS = 600;

let postgres: Postgres;
let report: RunReport;
before(async () => {
  if (WITHOUT_POSTGRES) return;
  postgres = await startPostgres();
  report = await recordedRun({ postgres, decisions: DECISIONS, callers: 12, outageMs: 2_000 });
});
after(() => postgres?.stop());

const skip = WITHOUT_POSTGRES;

test('every decision that was answered and must be recorded has one record, which says the same', { skip }, () => {
  assert.ok(report.answered >= DECISIONS && report.answeredRecorded > DECISIONS / 2);
  const { wrong, lost, twice, different } = report;
  assert.deepEqual({ wrong, lost, twice, different }, { wrong: [], lost: [], twice: [], different: [] });
  assert.equal(report.records, report.answeredRecorded + report.recordedUnanswered);
});

test(
  'the database was away and the process was killed: some were told to try again, or heard nothing',
  { skip },
  () => {
    assert.ok(report.unanswered > 0);
    assert.equal(report.verdict.chains.length, 2);
  },
);

test('the trail is whole, and every way to tamper with it is found and named', { skip }, () => {
  assert.deepEqual([report.verdict.whole, report.verdict.problems], [true, []]);
  assert.equal(report.tampered.length, 5);
  for (const { what, ok, found } of report.tampered) assert.ok(ok, `${what}: ${found.join() || 'nothing'}`);
  assert.ok(report.wholeAfterwards && holds(report));
});
