/** The backend as a process of its own, as an operator starts it */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const BACKEND = join(ROOT, 'plugin-js', 'dev', 'backend.ts');

/** How it went */
export interface Run {
  output: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Starts the backend, or another script, with arguments; what it prints is kept */
export function start(args: string[], script = BACKEND) {
  const env: NodeJS.ProcessEnv = { ...process.env, LOG_LEVEL: 'warn' };
  // The test runner's own mark would make the child one of its tests.
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { cwd: ROOT, env });
  const run: Run = { output: '', code: null, signal: null };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (run.output += text));
  }
  const ended = new Promise<Run>(resolve => {
    child.on('close', (code, signal) => resolve(Object.assign(run, { code, signal })));
  });
  return { child, run, ended };
}
