#!/usr/bin/env node
/** The command `entra-access`: for a terminal, a pre-commit hook or a pipeline, without a backend */
import { parseArgs } from 'node:util';
import { UsageError, type Command, type Output } from './command';

/** The commands by their words. Each is loaded when it is run: checking a policy must not load a catalog */
const COMMANDS: ReadonlyArray<{ words: string; does: string; load: () => Command }> = [
  { words: 'policy check', does: 'finds mistakes in policies', load: () => require('./policyCheck').policyCheck },
  {
    words: 'policy explain',
    does: 'decides a question and says why',
    load: () => require('./policyExplain').policyExplain,
  },
  { words: 'policy test', does: 'runs the tests of a policy', load: () => require('./policyTest').policyTest },
  { words: 'inspect', does: 'says what is wrong with a token', load: () => require('./inspect').inspect },
  {
    words: 'doctor',
    does: 'checks a configuration and all that it hangs on',
    load: () => require('./doctor').doctor,
  },
];

const WIDTH = Math.max(...COMMANDS.map(({ words }) => words.length));
const USAGE = [
  'usage: entra-access COMMAND\n',
  ...COMMANDS.map(({ words, does }) => `  ${words.padEnd(WIDTH)}  ${does}`),
  '\nentra-access COMMAND --help says more. Exit code 2: the command was not understood.\n',
].join('\n');

/** Runs a command; @returns its exit code */
export async function run(args: string[], output: Output): Promise<number> {
  const command = find(args);
  if (!command) {
    const asked = args.some(word => word === '--help' || word === '-h');
    (asked ? output.out : output.complain)(USAGE);
    return asked ? 0 : 2;
  }
  try {
    const { values, positionals } = parsed(command, args);
    if (!values.help) return await command.run({ values, positionals: positionals.slice(command.words) }, output);
    output.out(command.usage);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.complain(`${error.message}\n\n${command.usage}`);
    return 2;
  }
}

function find(args: string[]): (Command & { words: number }) | undefined {
  const given = args.filter(word => !word.startsWith('-'));
  for (const { words, load } of COMMANDS) {
    const wanted = words.split(' ');
    if (wanted.every((word, at) => given[at] === word)) return { ...load(), words: wanted.length };
  }
  return undefined;
}

function parsed({ options }: Command, args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean' as const, short: 'h' } },
    });
  } catch (error) {
    // Node's own hint about `--` would be about options of no command of ours.
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : 'the options are not understood');
  }
}

if (require.main === module) {
  const output = {
    out: (text: string) => void process.stdout.write(text),
    complain: (text: string) => void process.stderr.write(text),
  };
  run(process.argv.slice(2), output).then(
    code => (process.exitCode = code),
    (error: unknown) => {
      // A defect of ours: never to be taken for a result.
      output.complain(`entra-access failed: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
