/**
 * The recorded run: `npm run record -- [--decisions N] [--callers N] [--outage SECONDS]`.
 *
 * Ends with 1 where a decision that was answered has no record or two, where the trail is not whole, or where tampering is not found.
 */
import { parseArgs } from 'node:util';
import { startPostgres, WITHOUT_POSTGRES } from '../../e2e/support/postgres';
import { holds, recordedRun, type RunReport } from './recordedRun';

const { values } = parseArgs({
  options: {
    decisions: { type: 'string', default: '20000' },
    callers: { type: 'string', default: '16' },
    outage: { type: 'string', default: '8' },
  },
});

function table(report: RunReport): string {
  const rows: Array<[string, string | number]> = [
    ['answers', report.answered],
    ['  of those, that must be recorded', report.answeredRecorded],
    ['  other than the policy says', report.wrong.length],
    ['questions without an answer (killed, or database away)', report.unanswered],
    ['records of decisions', report.records],
    ['  answered, and not recorded', report.lost.length],
    ['  recorded more than once', report.twice.length],
    ['  recorded otherwise than answered', report.different.length],
    ['  recorded without an answer', report.recordedUnanswered],
    ['audit/verify: records', report.verdict.records],
    ['audit/verify: chains', report.verdict.chains.length],
    ['audit/verify: whole', String(report.verdict.whole)],
    ...report.tampered.map(({ what, expected, found }): [string, string] => [
      what,
      `${found.join(', ') || 'nothing'} (expected ${expected.join(' or ')})`,
    ]),
    ['put back: whole', String(report.wholeAfterwards)],
    ['answers each second', Math.round(report.answered / report.seconds)],
  ];
  return rows.map(([what, value]) => `${what.padEnd(58)}${value}`).join('\n');
}

async function main(): Promise<void> {
  const [decisions, callers, outage] = [values.decisions, values.callers, values.outage].map(Number);
  if (![decisions, callers, outage].every(number => number !== undefined && number > 0))
    throw new Error('--decisions, --callers and --outage take a number above 0');
  if (WITHOUT_POSTGRES) throw new Error(WITHOUT_POSTGRES);
  const postgres = await startPostgres();
  try {
    const report = await recordedRun({
      postgres,
      decisions: decisions ?? 0,
      callers: callers ?? 0,
      outageMs: (outage ?? 0) * 1_000,
      log: line => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(`\n${table(report)}\n`);
    if (!holds(report)) process.exitCode = 1;
  } finally {
    await postgres.stop();
  }
}

main().catch(error => {
  process.stderr.write(`the run failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
