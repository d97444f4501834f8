/** From nothing to ready, in a fresh process each time; see `load.child.cjs`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Case } from '../harness';
import { expected, jwks, type Workload } from '../tokens';
import { configuration, CORE_MODULE, WASM_FILE } from './entraAccess';

const CHILD = join(__dirname, 'load.child.cjs');

interface Times {
  /** From nothing to ready for a token */
  readyUs: number;
  /** The first token after that */
  firstUs: number;
}

/** `label`: the row's name, where it is not the subject's */
export function loadCase(subject: string, work: Workload, what: keyof Times, label = subject): Case {
  const scene = {
    ...{ configuration, expected, jwks, publicKeyPem: work.publicKeyPem },
    ...{ coreModule: CORE_MODULE, wasmFile: WASM_FILE },
    token: work.tokens[0],
    tampered: Object.values(work.tampered)[0],
  };
  const once = async () => (await run(JSON.stringify({ subject, scene })))[what];
  // The child itself looks at its answers and fails otherwise.
  return { name: label, work: { kind: 'timed', once }, check: async () => void (await once()) };
}

function run(input: string): Promise<Times> {
  return new Promise((resolve, reject) => {
    // Without the options of this process: no tsx in there.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = execFile(process.execPath, [CHILD], { env, timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr || error.message)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(input);
  });
}
