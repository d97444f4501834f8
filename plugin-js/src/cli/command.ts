import type { ParseArgsConfig } from 'node:util';

/** Where a command says something: results, and what is wrong */
export interface Output {
  out(text: string): void;
  complain(text: string): void;
}

/** What stands behind the words of a command */
export interface Arguments {
  positionals: string[];
  values: Readonly<Record<string, string | boolean | Array<string | boolean> | undefined>>;
}

/** A command of `entra-access` */
export interface Command {
  /** All of its help; begins with `usage: entra-access <words>` */
  usage: string;
  /** Beside `--help`, which every command has */
  options: NonNullable<ParseArgsConfig['options']>;
  /** Runs it; @returns the exit code @throws UsageError when it is not asked as it should be */
  run(given: Arguments, output: Output): Promise<number>;
}

/** The command was not understood: exit code 2, with its usage */
export class UsageError extends Error {}

/** An option that may be given several times, as texts */
export function texts(value: Arguments['values'][string]): string[] {
  return [value ?? []].flat().map(String);
}

/** An option that is needed, given once */
export function needed(value: Arguments['values'][string], name: string): string {
  if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} is missing`);
  return value;
}
