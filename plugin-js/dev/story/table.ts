import type { Row } from './scene';

const COLUMNS = ['who', 'what', 'answer', 'rule', 'reason'] as const;
const WIDTH = process.stdout.columns && process.stdout.columns > 120 ? process.stdout.columns : 160;

/** The rows as an aligned table; the last column is folded */
export function table(rows: readonly Row[]): string {
  const header = Object.fromEntries(COLUMNS.map(name => [name, name.toUpperCase()])) as unknown as Row;
  const widths = COLUMNS.map(name => Math.max(...[header, ...rows].map(row => row[name].length)));
  const indent = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const line = (row: Row) => {
    const cells = COLUMNS.slice(0, -1).map((name, at) => row[name].padEnd((widths[at] ?? 0) + 2));
    return cells.join('') + fold(row.reason, Math.max(40, WIDTH - indent)).join(`\n${' '.repeat(indent)}`);
  };
  return [line(header), '-'.repeat(Math.min(WIDTH, indent + 40)), ...rows.map(line)].join('\n');
}

function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current ? `${current} ${word}` : word;
    }
  }
  return [...lines, current];
}
