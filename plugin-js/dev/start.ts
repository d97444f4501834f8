/**
 * `npm start`: a simulated Entra tenant, a real Backstage backend, the story as a table, and then curl lines to try.
 * Not part of the published package.
 */
import { curlLines } from './story/curl';
import type { Row } from './story/scene';
import { startStory, storyClient } from './story/startStory';
import { STORY } from './story/story';
import { table } from './story/table';

async function main(): Promise<void> {
  process.stdout.write('starting the simulated Entra tenant and a Backstage backend ...\n');
  const environment = await startStory({ backend: 7007, tenant: 7100 });
  const { tenant, backendUrl } = environment;
  const stop = () => void environment.stop().finally(() => process.exit(process.exitCode ?? 0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const client = await storyClient(environment);
  process.stdout.write(`Backstage at ${backendUrl}, Entra tenant at ${tenant.authority}\n\n`);

  const rows: Row[] = [];
  let surprises = 0;
  for (const scene of STORY) {
    const row = await scene.play(client, tenant);
    const { answer, rule, reason } = scene.expect;
    const asExpected = row.answer.split(' ')[0] === answer && row.rule === rule && reason.test(row.reason);
    if (!asExpected) surprises += 1;
    rows.push(asExpected ? row : { ...row, who: `UNEXPECTED ${row.who}` });
  }
  process.stdout.write(`${table(rows)}\n\n${curlLines(backendUrl, tenant.authority)}\n\n`);
  if (surprises > 0) {
    process.stdout.write(`${surprises} scenes did not end as they should\n`);
    process.exitCode = 1;
    stop();
    return;
  }
  process.stdout.write('serving until you press Ctrl-C\n');
}

main().catch(error => {
  process.stderr.write(`\nthe story could not be played: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
