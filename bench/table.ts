/** Results for people. */
import type { GroupResult } from './harness';
import type { Machine } from './machine';
import type { Row } from './statistics';

const COLUMNS = ['us', 'q1', 'q3', 'ratio', 'times faster'];

export function groupTable({ name, reference, rows, notes = [] }: GroupResult): string {
  const cells = rows.map(row => [row.name, ...figures(row)]);
  const head = [`${name}  (ratio to: ${reference})`, ...COLUMNS];
  const widths = head.map((title, column) =>
    Math.max(...[head, ...cells].map(line => line[column]?.length ?? 0), title.length),
  );
  const line = (parts: string[]) =>
    parts
      .map((part, column) => (column === 0 ? part.padEnd(widths[0] ?? 0) : part.padStart(widths[column] ?? 0)))
      .join('  ');
  const rule = '-'.repeat(line(head).length);
  return [line(head), rule, ...cells.map(line), ...notes.map(note => `  * ${note}`)].join('\n');
}

export function machineLines(machine: Machine, versions: Record<string, string>): string {
  const { cpu, cores, memoryGb, system, node, openssl, load } = machine;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}; node ${node}, OpenSSL ${openssl}; load ${load.join(' ')}`,
    packages.join(', '),
  ].join('\n');
}

function figures({ us, q1, q3, ratio }: Row): string[] {
  return [digits(us), digits(q1), digits(q3), ratio.toFixed(ratio < 0.1 ? 4 : 3), digits(1 / ratio)];
}

/** Three digits: what a run on a shared machine can tell */
function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}
