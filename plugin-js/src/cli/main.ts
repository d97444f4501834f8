#!/usr/bin/env node
/** `entra-access policy check FILE`: for a pre-commit hook or a pipeline, without a backend */
import { parseArgs } from 'node:util';
import { checkPolicy } from './policyCheck';

const USAGE = `usage: entra-access policy check FILE [FILE ...] [--json]

Reads policy files as the backend would at its start, and names the first mistake in each with its line.
Exit code 0: all are good, 1: there is a mistake, 2: the command was not understood.
`;

/** Runs the command; @returns the exit code */
export function run(args: string[], out: (text: string) => void, complain: (text: string) => void): 0 | 1 | 2 {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { positionals, values } = parsed;
  if (values.help) {
    out(USAGE);
    return 0;
  }
  const [noun, verb, ...files] = positionals;
  if (noun !== 'policy' || verb !== 'check' || files.length === 0) {
    complain(USAGE);
    return 2;
  }
  const checks = files.map(checkPolicy);
  if (values.json) out(`${JSON.stringify(checks, null, 2)}\n`);
  for (const check of values.json ? [] : checks) {
    if (check.ok) out(`${check.file}: ${check.rules.length} rules, no mistake\n`);
    else complain(`${check.error}\n`);
  }
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

if (require.main === module) {
  process.exitCode = run(
    process.argv.slice(2),
    text => process.stdout.write(text),
    text => process.stderr.write(text),
  );
}
