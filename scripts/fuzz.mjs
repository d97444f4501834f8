// `npm run fuzz [-- SECONDS [TARGET ...]]`: each fuzz target for that long (60 s unless told), then a table.
// On stable Rust: without a sanitizer libFuzzer needs no nightly, and in a core without `unsafe` there is none to find.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure, main } from './lib/failure.mjs';
import { baseEnv, checkRust } from './lib/machine.mjs';
import { ROOT, TOOLS } from './lib/paths.mjs';
import { ask, capture, step, tail } from './lib/run.mjs';

const FUZZ = join(ROOT, 'fuzz');
const SECONDS = 60;
/** Compiling may come before the first input */
const BUILD_MS = 20 * 60_000;

const TARGETS = readdirSync(join(FUZZ, 'fuzz_targets')).map(name => name.replace(/\.rs$/, '')).sort();

/** What libFuzzer may spend on one input: beyond it, a hang or a flood of memory is a finding too */
const BUDGET = ['-max_len=8192', '-timeout=5', '-rss_limit_mb=1024'];

const QUIET = ['-verbosity=0', '-print_funcs=0', '-print_final_stats=1'];

function parse(words) {
  const [first = String(SECONDS), ...rest] = words;
  const named = /^\d+$/.test(first) ? rest : words;
  const unknown = named.find(name => !TARGETS.includes(name));
  if (unknown) throw new Failure(`there is no fuzz target "${unknown}"; there are: ${TARGETS.join(', ')}`);
  const seconds = /^\d+$/.test(first) ? Number(first) : SECONDS;
  // To libFuzzer zero means without end.
  if (seconds === 0) throw new Failure('fuzz for at least one second');
  return { seconds, targets: named.length > 0 ? named : TARGETS };
}

async function cargoFuzz() {
  const env = baseEnv([join(TOOLS, 'bin')]);
  if (ask('cargo-fuzz', ['--version'], env)) return env;
  const label = 'installing cargo-fuzz (once, takes a minute)';
  const args = ['install', 'cargo-fuzz', '--root', TOOLS];
  const build = join(TOOLS, 'build');
  const options = { env: { ...env, CARGO_TARGET_DIR: build } };
  const locked = await capture(label, 'cargo', [...args, '--locked'], options);
  // A registry mirror may lag behind: the lock file then names a release that is not there yet.
  if (locked.code !== 0) await step(label, 'cargo', args, options);
  rmSync(build, { recursive: true, force: true });
  return env;
}

/** The vectors of the tests as they are now, beside what earlier runs found worth keeping */
async function writeSeeds(env) {
  for (const target of TARGETS) {
    const corpus = join(FUZZ, 'corpus', target);
    for (const name of existsSync(corpus) ? readdirSync(corpus) : []) {
      if (name.startsWith('seed-')) rmSync(join(corpus, name));
    }
  }
  const args = ['run', '--manifest-path', join(FUZZ, 'Cargo.toml'), '--example', 'seeds', '--', join(FUZZ, 'corpus')];
  await step('writing the seeds', 'cargo', args, { env });
}

async function fuzz(target, seconds, env) {
  const found = () => (existsSync(artifacts) ? readdirSync(artifacts) : []);
  const artifacts = join(FUZZ, 'artifacts', target);
  const before = found();
  const args = ['fuzz', 'run', target, '--fuzz-dir', FUZZ, '--sanitizer', 'none', '--', `-max_total_time=${seconds}`];
  const more = [`-dict=${join(FUZZ, `${target}.dict`)}`, ...QUIET, ...BUDGET];
  const run = await capture(`fuzzing ${target}`, 'cargo', [...args, ...more], { env, timeoutMs: seconds * 1000 + BUILD_MS });
  const executions = Number(/^stat::number_of_executed_units:\s*(\d+)/m.exec(run.output)?.[1] ?? 0);
  const findings = found().filter(name => !before.includes(name));
  if (run.code !== 0 || executions === 0) process.stdout.write(`\n${tail(run.output, 60)}\nfull log: ${run.log}\n\n`);
  for (const name of findings) process.stdout.write(`found: ${relative(ROOT, join(artifacts, name))}\n`);
  // A run that ended badly without leaving an input behind is a finding all the same.
  const broken = findings.length === 0 && (run.code !== 0 || executions === 0);
  return { target, executions, findings: findings.length + (broken ? 1 : 0) };
}

function table(rows) {
  const line = (name, count, findings) => `${name.padEnd(10)}${count.padStart(14)}${findings.padStart(10)}`;
  return [
    line('target', 'executions', 'findings'),
    ...rows.map(({ target, executions, findings }) => line(target, executions.toLocaleString('en'), String(findings))),
  ].join('\n');
}

await main(async () => {
  const { seconds, targets } = parse(process.argv.slice(2));
  await checkRust();
  const env = await cargoFuzz();
  await writeSeeds(env);
  const rows = [];
  for (const target of targets) rows.push(await fuzz(target, seconds, env));
  const findings = rows.reduce((sum, row) => sum + row.findings, 0);
  process.stdout.write(`\n${table(rows)}\n\n${findings} findings in ${seconds} s for each target\n`);
  return findings > 0 ? 1 : 0;
});
