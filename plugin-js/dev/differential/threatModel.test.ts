/** docs/threat-model.md names every code, attack and budget there is, and no test that is not. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REJECTION_CODES } from '../../src/core/codes';
import { forgeVariants } from '../ci/variants';
import { forgeAttacks } from '../tenant/attacks';
import { startTenant } from '../tenant/server';

const ROOT = join(__dirname, '../../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const text = read('docs/threat-model.md');

/** Codes that no token comes to yet; those of tests/vectors.rs */
const RESERVED = ['step_up_required'];
/** Not by anything that the token says: the account behind it is not in force */
const BY_ACCOUNT = ['principal_revoked'];

interface Row {
  code: string;
  proofs: string[];
}

/** The rows of the tables under "Attacks on a token" */
const rows: Row[] = section('Attacks on a token')
  .split('\n')
  .map(line => line.split(' | '))
  .filter(cells => cells.length === 3 && !cells[0]!.startsWith('| attack'))
  .map(([, code, proof]) => ({ code: code!.replaceAll('`', ''), proofs: proof!.replace(' |', '').split(', ') }));

function section(title: string): string {
  return text.split(/^## /m).find(part => part.startsWith(title)) ?? assert.fail(`no section ${title}`);
}

test('every code that a token can come to has an attack, the others are said to be reserved', () => {
  const named = new Set(rows.map(({ code }) => code));
  for (const code of REJECTION_CODES) {
    if (RESERVED.includes(code)) assert.ok(section('Not covered').includes(code), `${code} is not said to be reserved`);
    else if (BY_ACCOUNT.includes(code)) assert.ok(text.includes(`| \`${code}\` before any rule`), code);
    else assert.ok(named.has(code), `no attack with ${code}`);
  }
  for (const code of named) assert.ok(code.startsWith('none') || REJECTION_CODES.includes(code as never), code);
});

test('every attack of the simulated tenant has its row, under the code that it meets', async () => {
  const tenant = await startTenant();
  try {
    for (const [prefix, all] of [
      ['attack:', forgeAttacks(tenant)],
      ['job:', forgeVariants(tenant.ci)],
    ] as const) {
      const met = new Map(all.map(({ name, expect }) => [name, expect]));
      const listed = rows.flatMap(({ code, proofs }) =>
        proofs.filter(proof => proof.startsWith(prefix)).map(proof => [proof.slice(prefix.length), code] as const),
      );
      for (const [name, code] of listed) assert.equal(met.get(name), code, `${prefix}${name}`);
      assert.deepEqual(listed.map(([name]) => name).sort(), [...met.keys()].sort());
    }
  } finally {
    await tenant.close();
  }
});

test('every vector that is named is there, in a file that knows the code', () => {
  const vectors = rows.flatMap(({ code, proofs }) => proofs.map(proof => ({ code, proof })));
  const missing = vectors.filter(({ code, proof }) => !/^(attack|job):/.test(proof) && !isProof(proof, code));
  assert.deepEqual(missing, []);
  assert.ok(vectors.length > 80, `only ${vectors.length} proofs`);
});

function isProof(proof: string, code: string): boolean {
  if (!proof.startsWith('e2e:')) return isVector(proof, code);
  const source = read('plugin-js/e2e/pipelines.test.ts');
  return source.includes(`test('${proof.slice('e2e:'.length)}'`) && source.includes(`'${code}'`);
}

/** Names are made of parts, so it is the last part, `x` of `exp_x`, that stands in the file */
function isVector(proof: string, code: string): boolean {
  const [area, name] = proof.split('/');
  const file = `tests/support/vectors/${area}.rs`;
  if (!name || !existsSync(join(ROOT, file))) return false;
  const source = read(file);
  const words = name.split('_');
  const parts = words.map((_, at) => `"${words.slice(at).join('_')}"`);
  return parts.some(part => source.includes(part)) && (code.startsWith('none') || source.includes(`"${code}"`));
}

test('every budget of src/limits.rs is listed with its number', () => {
  const constants = [...read('src/limits.rs').matchAll(/^pub const (\w+): \w+ = ([\d_* ]+);/gm)];
  assert.ok(constants.length >= 15);
  for (const [, name, expression] of constants) {
    const number = expression!.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
    const row = section('Budgets')
      .split('\n')
      .find(line => line.startsWith(`| \`${name}\``));
    assert.equal(row?.split(' | ')[1]?.split(' ')[0]?.replaceAll(',', ''), String(number), name);
  }
});

test('every file that is named exists', () => {
  const paths = [...text.matchAll(/(?:plugin-js|tests|src)\/[\w./-]+\.(?:ts|rs)/g)].map(([path]) => path);
  assert.ok(paths.length > 15);
  for (const path of paths) assert.ok(existsSync(join(ROOT, path)), path);
});
