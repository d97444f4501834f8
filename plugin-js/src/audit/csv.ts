import type { AuditRecord, AuditRow } from './records';

const COLUMNS = [
  'chain',
  'seq',
  'time',
  'event',
  'result',
  'principal',
  'kind',
  'identity',
  'client',
  'agent',
  'issuer',
  'job',
  'permission',
  'action',
  'resourceType',
  'resource',
  'rule',
  'code',
  'reasons',
  'epoch',
  'request',
  'plugin',
  'count',
  'since',
  'heads',
  'reference',
  'hash',
] as const;

/** The first line */
export const csvHeader = `${COLUMNS.join(',')}\r\n`;

/** A record as a line (RFC 4180) */
export function csvLine({ record, hash }: AuditRow): string {
  const said = JSON.parse(record) as AuditRecord & { chain: string; seq: number };
  const fields: Record<string, unknown> = { ...said, time: new Date(said.at).toISOString(), hash };
  return `${COLUMNS.map(name => cell(fields[name])).join(',')}\r\n`;
}

/** A program for tables would take a text that begins so for a formula, and names are anybody's */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
