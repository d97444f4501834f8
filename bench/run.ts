/** `npm run bench [-- --quick] [-- --only TEXT] [-- --json FILE]`: the side-by-side measurements. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureGroup, type GroupResult } from './harness';
import { machine, versions } from './machine';
import { allPlans } from './plans';
import { seeded } from './random';
import { FULL, QUICK } from './sampling';
import { groupTable, machineLines } from './table';

const SEED = 20261122;

const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const effort = values.quick ? QUICK : FULL;
  const all = await allPlans();
  const plans = all.filter(({ name }) => name.toLowerCase().includes(values.only.toLowerCase()));
  if (plans.length === 0) {
    throw new Error(
      `no group is named like "${values.only}"; there are:\n  ${all.map(({ name }) => name).join('\n  ')}`,
    );
  }

  const before = machine();
  const used = versions();
  print(machineLines(before, used));
  print(
    `${effort.rounds} rounds, samples of at least ${effort.sampleMs} ms${values.quick ? ' (--quick: the times mean nothing)' : ''}`,
  );

  const groups: GroupResult[] = [];
  for (const plan of plans) {
    const result = await measureGroup(plan, effort, seeded(SEED));
    groups.push(result);
    print(`\n${groupTable(result)}`);
  }
  print(`\nload at the end: ${machine().load.join(' ')}`);
  if (values.json) {
    const report = { machine: before, versions: used, quick: values.quick, loadAtEnd: machine().load, groups };
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

main().catch((error: unknown) => {
  const { message, cause } = error as Error;
  process.stderr.write(`bench: ${message}\n${cause ? `  because: ${String((cause as Error).stack ?? cause)}\n` : ''}`);
  // Thread pools and child processes of an unfinished round must not keep it alive.
  process.exit(1);
});
