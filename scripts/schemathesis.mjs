// `npm run schemathesis [-- OPTIONS OF SCHEMATHESIS]`: the routes against their own description. Needs Python 3.10 or newer.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './lib/failure.mjs';
import { launch } from './lib/launch.mjs';
import { TOOLS } from './lib/paths.mjs';
import { ask, step } from './lib/run.mjs';

const VERSION = '4.32.5';
const FOLDER = join(TOOLS, `schemathesis-${VERSION}`);
const PROGRAM = join(FOLDER, 'bin', 'schemathesis');

async function install() {
  if (existsSync(PROGRAM)) return;
  if (ask('python3', ['-c', 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))']) === undefined) {
    throw new Failure('Schemathesis needs Python 3.10 or newer with venv: install python3 and python3-venv');
  }
  const label = 'installing Schemathesis (once, takes a minute)';
  rmSync(FOLDER, { recursive: true, force: true });
  await step(label, 'python3', ['-m', 'venv', FOLDER]);
  await step(label, join(FOLDER, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`]);
}

await launch('plugin-js/dev/schemathesis.ts', async env => {
  await install();
  // Not the program itself: its first line holds the place where it was installed, and folders are moved.
  return { ...env, SCHEMATHESIS_PYTHON: join(FOLDER, 'bin', 'python') };
});
