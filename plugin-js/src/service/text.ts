/** Control characters, and those that change the order in which a terminal shows text */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text of a file for a terminal: nothing in it may move the cursor, colour anything, or look like another line */
export function plain(text: string): string {
  return text.replace(UNPRINTABLE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Rows as columns, the last one ragged */
export function columns(rows: ReadonlyArray<readonly string[]>, indent = '  '): string {
  const shown = rows.map(row => row.map(plain));
  const widths = (shown[0] ?? []).map((_, at) => Math.max(...shown.map(row => row[at]?.length ?? 0)));
  const line = (row: string[]) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)));
  return shown.map(row => `${indent}${line(row).join('  ')}`.trimEnd()).join('\n');
}

/** Whether a text is a token, which must not come back in an error and from there get into a log */
export function looksLikeToken(text: string): boolean {
  return /^\s*(?:bearer\s+)?eyJ[\w-]+\./i.test(text);
}

/** A word of a file in a message: shortened, and no token */
export function quoted(text: string): string {
  return looksLikeToken(text) ? 'of that name (it looks like a token)' : `\`${text.slice(0, 200)}\``;
}
