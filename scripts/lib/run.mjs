// Child processes: each in a process group of its own, so that an interrupt or a time-out ends the whole tree
// (cargo -> rustc -> linker) and nothing goes on writing behind our back.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from './failure.mjs';
import { LOGS, ROOT } from './paths.mjs';
import { progress, stripAnsi } from './progress.mjs';

const TAIL_LINES = 40;
const KILL_AFTER_MS = 5_000;
const running = new Set();
const atInterrupt = new Set();
// From then on signals are the program's own business.
let handedOver = false;

/** Runs `undo` if the script is interrupted; returns the function that withdraws it. */
export function onInterrupt(undo) {
  atInterrupt.add(undo);
  return () => atInterrupt.delete(undo);
}

for (const [signal, exitCode] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.on(signal, () => {
    if (handedOver) return;
    for (const child of running) signalGroup(child, 'SIGKILL');
    for (const undo of atInterrupt) undo();
    process.stderr.write('\ninterrupted; the next run takes up from here\n');
    process.exit(exitCode);
  });
}
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}

export function tail(text, lines = TAIL_LINES) {
  return stripAnsi(text).trimEnd().split('\n').slice(-lines).join('\n');
}

/** First line of a tool's answer, or undefined when it cannot be run. */
export function ask(command, args, env = process.env) {
  const done = spawnSync(command, args, { cwd: ROOT, env, encoding: 'utf8', timeout: 60_000 });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/**
 * Runs a long command with a progress line, its output kept in a log.
 * Resolves to what happened; only `step` below turns a non-zero exit into a failure.
 */
export function capture(label, command, args, { env = process.env, cwd = ROOT, timeoutMs } = {}) {
  mkdirSync(LOGS, { recursive: true });
  const log = join(LOGS, `${label.replace(/[^A-Za-z0-9.]+/g, '-').replace(/-$/, '').toLowerCase()}.log`);
  const file = createWriteStream(log);
  const line = progress(label);
  const started = Date.now();
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        output += chunk;
        file.write(chunk);
        line.seen(chunk);
      });
    }
    const timer = timeoutMs && setTimeout(() => {
      timedOut = true;
      signalGroup(child, 'SIGTERM');
      setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS).unref();
    }, timeoutMs);
    const settle = (code, problem = '') => {
      // A command that cannot be started reports both an error and an end.
      if (!running.delete(child)) return;
      clearTimeout(timer);
      // What the command left running would hold ports and locks of the next suite.
      signalGroup(child, 'SIGKILL');
      file.end(problem);
      line.end(timedOut ? 'stopped, out of time' : code === 0 ? 'done' : 'failed');
      resolve({ code, timedOut, output: stripAnsi(output) + problem, log: relative(ROOT, log), ms: Date.now() - started });
    };
    child.on('error', error => settle(127, `${command}: ${error.message}\n`));
    child.on('exit', () => {
      // A grandchild that keeps the pipes open must not keep us waiting for 'close'.
      setTimeout(() => [child.stdout, child.stderr].forEach(stream => stream.destroy()), 1_000).unref();
    });
    child.on('close', code => settle(code ?? 1));
  });
}

/** A step of the set-up: does its work or ends the script with one sentence. */
export async function step(label, command, args, { hint = '', ...options } = {}) {
  const done = await capture(label, command, args, options);
  if (done.code === 0) return done;
  throw new Failure(`the step "${label}" failed${hint ? `: ${hint}` : ''}`, { tail: tail(done.output), log: done.log });
}

/** Gives terminal and signals to a program and resolves to its exit code. */
export function handOver(command, args, { env = process.env } = {}) {
  handedOver = true;
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    const forward = signal => {
      // A terminal sends Ctrl-C to every process of the foreground group: the child has it already, and programs
      // take a second one for "do not wait".
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', error => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal] ?? 1));
  });
}
