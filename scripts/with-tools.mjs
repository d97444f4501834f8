// `npm run with-tools -- wasm-pack test --node ...`: any command, with the project's own tools first on PATH.
import { Failure, main } from './lib/failure.mjs';
import { handOver } from './lib/run.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  const [command, ...args] = process.argv.slice(2);
  if (!command) throw new Failure('which command? for example: npm run with-tools -- wasm-pack --version');
  return handOver(command, args, { env: await setup({ tools: true, build: false }) });
});
