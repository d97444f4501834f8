// Expected failures are sentences, not stack traces.

export class Failure extends Error {
  /** @param {string} sentence what went wrong and, where there is one, the command that fixes it */
  constructor(sentence, { tail = '', log = '', exitCode = 1 } = {}) {
    super(sentence);
    this.tail = tail;
    this.log = log;
    this.exitCode = exitCode;
  }
}

export function report(failure) {
  if (failure.tail) process.stderr.write(`\n${failure.tail.trimEnd()}\n`);
  if (failure.log) process.stderr.write(`\nfull log: ${failure.log}\n`);
  process.stderr.write(`\n${failure.message}\n`);
}

/** Runs a script's body; only a mistake in the scripts themselves shows a stack. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    report(error);
    process.exitCode = error.exitCode;
  }
}
