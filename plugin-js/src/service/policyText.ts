import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { ConfigurationError } from '../core';

/** A policy as it is written somewhere */
export interface PolicyText {
  /** For the core, which is its strict reader */
  json: string;
  /** Names it in errors */
  place: string;
  /** The same mistake of the core with the line where it stands */
  locate?: (mistake: ConfigurationError) => ConfigurationError;
}

/**
 * Reads a policy from YAML, of which JSON is a part.
 * @throws ConfigurationError when it is none
 */
export function parsePolicy(text: string, place: string): PolicyText {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, strict: true, lineCounter: lines });
  const [mistake] = document.errors;
  if (mistake) throw new ConfigurationError({ path: place, message: firstLine(mistake) });
  let policy: unknown;
  try {
    // Aliases are followed only here.
    policy = document.toJS();
  } catch (error) {
    throw new ConfigurationError({ path: place, message: firstLine(error) });
  }
  const locate = (error: ConfigurationError) => withLine(error, place, path => lineOf(document, lines, path));
  return { json: JSON.stringify(policy ?? null), place, locate };
}

/** What an error says, in one line */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message.split('\n', 1)[0] : undefined) || 'not YAML';
}

function withLine(
  error: ConfigurationError,
  place: string,
  line: (path: Array<string | number>) => number | undefined,
): ConfigurationError {
  if (!error.path.startsWith(`${place}.`)) return error;
  const inner = error.path.slice(place.length + 1);
  const found = line([...inner.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, at]) => name ?? Number(at)));
  return found === undefined ? error : error.at(found);
}

/** The line of the deepest step that is written down */
function lineOf(document: Document, lines: LineCounter, path: Array<string | number>): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (!pair) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
