/** `npm run bench [-- --quick] [-- --only TEXT] [-- --json FILE]`: the side-by-side measurements. */
import { measureApart } from './apart';
import { versions } from './machine';
import { allPlans } from './plans';
import { print, readOptions, Report } from './report';

const SEED = 20261122;

async function main(): Promise<void> {
  const options = readOptions();
  const report = new Report(options, SEED);
  const all = await allPlans();
  const plans = report.wanted(all);
  if (plans.length === 0) {
    throw new Error(
      `no group is named like "${options.only}"; there are:\n  ${all.map(({ name }) => name).join('\n  ')}`,
    );
  }

  report.begin(versions());
  const { rounds, sampleMs } = report.effort;
  print(
    `${rounds} rounds, samples of at least ${sampleMs} ms${options.quick ? ' (--quick: the times mean nothing)' : ''}`,
  );
  for (const plan of plans) {
    // Its times mean nothing, so that nothing can spoil them.
    if (options.quick) await report.measure(plan);
    else report.add(await measureApart({ name: plan.name, seed: SEED, effort: report.effort }));
  }
  report.end();
}

main().catch((error: unknown) => {
  const { message, cause } = error as Error;
  process.stderr.write(`bench: ${message}\n${cause ? `  because: ${String((cause as Error).stack ?? cause)}\n` : ''}`);
  // Thread pools and child processes of an unfinished round must not keep it alive.
  process.exit(1);
});
