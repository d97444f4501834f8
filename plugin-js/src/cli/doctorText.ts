import { worstOf, type Finding, type Grade } from '../doctor';
import { columns, plain } from '../service/text';

const MARKS: Record<Grade, string> = { ok: 'ok', warning: 'WARNING', error: 'ERROR', skipped: '-' };

/** A table with the fix below each line that has one, and how many there are of each outcome */
export function doctorText(findings: readonly Finding[]): string {
  const rows = findings.map(({ outcome, check, about, what }) => [MARKS[outcome], check, about, what]);
  const [heading = '', ...lines] = columns([['', 'check', 'about', 'found'], ...rows]).split('\n');
  const table = lines.flatMap((line, at) => {
    const { fix } = findings[at] ?? {};
    return fix === undefined ? [line] : [line, `           -> ${plain(fix)}`];
  });
  return `${[heading, ...table, '', summary(findings)].join('\n')}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (outcome: Grade) => findings.filter(finding => finding.outcome === outcome).length;
  return `errors: ${count('error')}, warnings: ${count('warning')}, ok: ${count('ok')}, skipped: ${count('skipped')}`;
}

/** The same for machines */
export function doctorJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ worst: worstOf(findings), findings }, null, 2)}\n`;
}
