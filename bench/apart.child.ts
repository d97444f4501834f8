/** Measures one group, tells the result and ends: see `apart.ts`. */
import type { Answered, Asked } from './apart';
import { measureGroup, type GroupResult } from './harness';
import { allPlans } from './plans';
import { seeded } from './random';

async function measured({ name, seed, effort }: Asked): Promise<GroupResult> {
  const plan = (await allPlans()).find(each => each.name === name);
  if (!plan) throw new Error(`no group is named ${name}`);
  return measureGroup(plan, effort, seeded(seed));
}

/** Thread pools must not keep it alive */
const answer = (answered: Answered) => process.send?.(answered, () => process.exit());

process.on('disconnect', () => process.exit());
measured(JSON.parse(process.argv[2] ?? '')).then(
  result => answer({ result }),
  ({ message, cause }: Error) =>
    answer({ message, ...(cause !== undefined && { because: String((cause as Error).stack ?? cause) }) }),
);
