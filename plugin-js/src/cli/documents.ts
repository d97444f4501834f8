import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { ConfigurationError } from '../core';
import { firstLine, parsePolicy } from '../service/policyText';
import { looksLikeToken } from '../service/text';

/** As much as a policy may be long, with its comments */
const MAX_BYTES = 8 * 1024 * 1024;

/** Reads a file, or a pipe such as `<(...)`. @throws ConfigurationError naming it */
export function readText(file: string): string {
  if (looksLikeToken(file)) {
    throw new ConfigurationError({ path: 'FILE', message: 'this looks like a token', hint: 'it is not shown' });
  }
  try {
    const stats = statSync(file);
    if (!stats.isFile() && !stats.isFIFO()) throw new Error('not a file');
    if (stats.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError({ path: file, message: `could not be read: ${firstLine(error)}` });
  }
}

/** Where a value stands in a document: what is wrong with it is said with its path and line */
export class Place {
  readonly path: string;
  readonly #locate: (mistake: ConfigurationError) => ConfigurationError;

  constructor(path: string, locate: (mistake: ConfigurationError) => ConfigurationError = mistake => mistake) {
    this.path = path;
    this.#locate = locate;
  }

  /** Further in */
  at(...steps: PropertyKey[]): Place {
    return this.within(steps.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join(''));
  }

  /** Further in, by the rest of a path */
  within(rest: string): Place {
    return new Place(`${this.path}${rest}`, this.#locate);
  }

  mistake(message: string, hint?: string): ConfigurationError {
    return this.#locate(new ConfigurationError({ path: this.path, message, hint }));
  }
}

/** A value and where it stands */
export interface Placed {
  value: unknown;
  place: Place;
}

/** Reads YAML, of which JSON is a part. @throws ConfigurationError when it is none */
export function parseText(text: string, path: string): Placed {
  const { json, locate } = parsePolicy(text, path);
  return { value: JSON.parse(json), place: new Place(path, locate) };
}

/** The value as the schema has it. @throws ConfigurationError about the first thing that does not fit */
export function checked<T>(schema: z.ZodType<T>, { value, place }: Placed): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // What is misspelt is missing as well: say what is there.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (!issue) throw place.mistake('is not as expected');
  const at = place.at(...issue.path);
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw at.at(key).mistake(`unknown field \`${key}\``, `expected one of ${fieldsAt(schema, issue.path).join(', ')}`);
  }
  // The last step of what is missing is not written down anywhere: the line is that of what should have it.
  throw at.mistake(/received undefined$/.test(issue.message) ? 'is missing' : sentence(issue.message));
}

function sentence(message: string): string {
  return message.replace(/^Invalid (?:input|option): /, '').replace(/^Too small: /, 'too short: ');
}

function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: any = schema;
  for (const step of [...path, undefined]) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodNullable) at = at.unwrap();
    if (step === undefined) break;
    at = at instanceof z.ZodArray ? at.element : at.shape?.[step];
  }
  return Object.keys(at?.shape ?? {}).map(name => `\`${name}\``);
}
