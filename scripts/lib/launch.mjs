// Set-up, then one TypeScript program with the caller's arguments, terminal and signals.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from '../setup.mjs';
import { Failure, main } from './failure.mjs';
import { ROOT } from './paths.mjs';
import { handOver } from './run.mjs';

/** `also` brings what only this program needs, and may change the environment */
export const launch = (program, also = env => env) =>
  main(async () => {
    if (!existsSync(join(ROOT, program))) throw new Failure(`${program} is not in this checkout`);
    const env = await also(await setup());
    return handOver(process.execPath, ['--import', 'tsx', program, ...process.argv.slice(2)], { env });
  });
