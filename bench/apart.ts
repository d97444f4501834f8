/**
 * A group in a process of its own. V8 compiles a function for all that it was called with, so within one process the times of a group
 * depend on which groups came before it, by a fifth; a backend has one core, as a fresh process has.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { GroupResult } from './harness';
import type { Effort } from './sampling';

/** What the process is told as its arguments */
export interface Asked {
  /** Name of the plan */
  name: string;
  seed: number;
  effort: Effort;
}

/** What the process answers */
export type Answered = { result: GroupResult } | { message: string; because?: string };

/** @throws what the group throws there, or that the process ended without an answer */
export function measureApart(asked: Asked): Promise<GroupResult> {
  // The loader of TypeScript is among the options of this process, which a fork takes over.
  const child = fork(join(__dirname, 'apart.child.ts'), [JSON.stringify(asked)]);
  return new Promise((resolve, reject) => {
    child.once('message', (answer: Answered) => {
      if ('result' in answer) resolve(answer.result);
      else reject(new Error(answer.message, answer.because ? { cause: answer.because } : {}));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`${asked.name}: its process ended with ${signal ?? code} before it answered`)),
    );
  });
}
