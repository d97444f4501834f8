// Set-up, then one TypeScript program with the caller's arguments, terminal and signals.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from '../setup.mjs';
import { Failure, main } from './failure.mjs';
import { ROOT } from './paths.mjs';
import { handOver } from './run.mjs';

export const launch = program =>
  main(async () => {
    if (!existsSync(join(ROOT, program))) throw new Failure(`${program} is not in this checkout`);
    const env = await setup();
    return handOver(process.execPath, ['--import', 'tsx', program, ...process.argv.slice(2)], { env });
  });
