/**
 * Whatever we accept, jose accepts, with the same claims; and no token harms the core. The other way round is only
 * counted: jose is lenient where a security decision must not be.
 */
import { FAMILIES, Generator, type Family, type Sample } from './generator';
import { differences, joseJudge, OurJudge, type Ours, type Theirs } from './judges';

export interface Totals {
  tokens: number;
  acceptedByBoth: number;
  refusedByBoth: number;
  /** Refused by us alone, by our code */
  refusedByUs: Map<string, number>;
  /** Every refusal of ours, by code */
  codes: Map<string, number>;
  byFamily: Record<Family, { tokens: number; accepted: number }>;
  disagreements: string[];
}

interface Options {
  seed: number;
  count: number;
  /** Index of the first token */
  from?: number;
  progress?: (done: number) => void;
}

/** Every so many tokens all other ways to ask are tried as well */
const LOOK_CLOSER = 8;
/** Every so many tokens the good ones are shown again, so that they are remembered when a changed copy comes */
const REMIND = 256;

export async function compare({ seed, count, from = 0, progress }: Options): Promise<Totals> {
  const generator = new Generator(seed);
  const judge = new OurJudge();
  const totals = empty();
  try {
    for (let index = from; index < from + count; index += 1) {
      if ((index - from) % REMIND === 0) generator.pool.forEach(good => judge.judge(good));
      const sample = generator.sample(index);
      const ours = judge.judge(sample);
      const theirs = await joseJudge(sample);
      const problems = disagreement(sample, ours, theirs);
      if (index % LOOK_CLOSER === 0) problems.push(...(await closer(judge, sample, ours)));
      if (!judge.unharmed) throw new Error(`the core trapped: ${describeSample(seed, index, sample)}`);
      for (const problem of problems) totals.disagreements.push(`${problem}: ${describeSample(seed, index, sample)}`);
      note(totals, sample, ours, theirs);
      if (progress && (index - from) % 1000 === 999) progress(index + 1 - from);
    }
  } finally {
    judge.close();
  }
  return totals;
}

function disagreement({ family }: Sample, ours: Ours, theirs: Theirs): string[] {
  if (!ours.ok) return family === 'harmless' ? [`harmless, and refused by us as ${ours.code}`] : [];
  if (!theirs.ok) return [`accepted by us alone (jose: ${theirs.code})`];
  const different = differences(ours.principal, theirs);
  return different.length > 0 ? [`accepted with other claims (${different.join(', ')})`] : [];
}

async function closer(judge: OurJudge, sample: Sample, ours: Ours): Promise<string[]> {
  const problems = [];
  const verdict = ours.ok ? 'accepted' : ours.code;
  const inspected = judge.inspect(sample);
  if (inspected.verdict !== verdict) problems.push(`we say ${verdict}, our inspector ${inspected.verdict}`);
  const signature = sample.token.slice(sample.token.lastIndexOf('.') + 1);
  if (signature.length > 100 && inspected.text.includes(signature)) problems.push('our inspector shows the signature');
  for (const [way, other] of Object.entries(await judge.otherWays(sample))) {
    if (JSON.stringify(other) !== JSON.stringify(ours)) problems.push(`asked ${way}, another answer`);
  }
  return problems;
}

/** Enough to make the token again, and nothing of the token itself */
function describeSample(seed: number, index: number, { family, history, purpose, now }: Sample): string {
  const where = `seed ${seed}, index ${index}`;
  return `${where}: ${family}: ${history.join('; ')} (${purpose} at ${now}); run.ts --seed ${seed} --show ${index}`;
}

function note(totals: Totals, { family }: Sample, ours: Ours, theirs: Theirs): void {
  totals.tokens += 1;
  totals.byFamily[family].tokens += 1;
  if (ours.ok) {
    totals.byFamily[family].accepted += 1;
    if (theirs.ok) totals.acceptedByBoth += 1;
    return;
  }
  add(totals.codes, ours.code);
  if (theirs.ok) add(totals.refusedByUs, ours.code);
  else totals.refusedByBoth += 1;
}

const add = (counts: Map<string, number>, code: string) => counts.set(code, (counts.get(code) ?? 0) + 1);

function empty(): Totals {
  const byFamily = Object.fromEntries(FAMILIES.map(family => [family, { tokens: 0, accepted: 0 }]));
  return {
    ...{ tokens: 0, acceptedByBoth: 0, refusedByBoth: 0, disagreements: [] },
    refusedByUs: new Map(),
    codes: new Map(),
    byFamily: byFamily as Totals['byFamily'],
  };
}
