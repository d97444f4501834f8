/** `node --import tsx plugin-js/dev/differential/run.ts [--count N] [--seed N] [--show INDEX]` */
import { parseArgs } from 'node:util';
import { compare, type Totals } from './differential';
import { Generator } from './generator';
import { joseJudge, OurJudge } from './judges';

const SHOWN = 20;

function report({ tokens, acceptedByBoth, refusedByBoth, ...totals }: Totals): string {
  const count = (number: number) => number.toLocaleString('en').padStart(10);
  const refusedByUs = [...totals.refusedByUs.values()].reduce((sum, each) => sum + each, 0);
  const sorted = (counts: Map<string, number>) => [...counts].sort(([, a], [, b]) => b - a);
  return [
    `${count(tokens)} tokens`,
    `${count(acceptedByBoth)} accepted by both, with the same claims`,
    `${count(refusedByBoth)} refused by both`,
    `${count(refusedByUs)} accepted by jose alone, refused by us as`,
    ...sorted(totals.refusedByUs).map(([code, number]) => `${count(number)}   ${code}`),
    'accepted by us, by the way the token was made:',
    ...Object.entries(totals.byFamily).map(([name, each]) => `${count(each.accepted)} of ${each.tokens} ${name}`),
    ...totals.disagreements.slice(0, SHOWN),
    `${totals.disagreements.length} disagreements`,
  ].join('\n');
}

/** One token with both answers; its signature stays out of the terminal */
async function show(seed: number, index: number): Promise<void> {
  const sample = new Generator(seed).sample(index);
  const judge = new OurJudge();
  const [ours, theirs] = [judge.judge(sample), await joseJudge(sample)];
  judge.close();
  const { token, ...rest } = sample;
  const parts = token.split('.').slice(0, 2);
  const texts = parts.map(part => Buffer.from(part, 'base64url').toString('utf8'));
  console.log(JSON.stringify({ ...rest, parts, texts, ours, theirs }, null, 2));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, seed: { type: 'string' }, show: { type: 'string' } },
  });
  const [count, seed] = [Number(values.count ?? 100_000), Number(values.seed ?? 1)];
  if (values.show !== undefined) return show(seed, Number(values.show));
  const progress = (done: number) => void (done % 10_000 === 0 && console.error(`${done} tokens`));
  const totals = await compare({ seed, count, progress });
  console.log(report(totals));
  if (totals.disagreements.length > 0) process.exitCode = 1;
}

void main();
