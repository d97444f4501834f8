/** Every group there is: each file in `groups/` exports `plans`, and is found by lying there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupPlan } from './harness';

const FOLDER = join(__dirname, 'groups');

export async function allPlans(): Promise<GroupPlan[]> {
  const files = readdirSync(FOLDER)
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort();
  const modules = await Promise.all(
    files.map(async file => {
      const { plans } = (await import(join(FOLDER, file))) as { plans?: GroupPlan[] };
      if (!Array.isArray(plans)) throw new Error(`bench/groups/${file} does not export \`plans\``);
      return plans;
    }),
  );
  return modules.flat();
}
