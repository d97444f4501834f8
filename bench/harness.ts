/**
 * The method: within one process, after a warm-up, every round takes one sample of every case, in random order. Results are
 * medians over the rounds, and ratios are medians of the ratios within a round. The reference is measured twice (an A/A
 * control): how far the control's ratio is from 1 is what the ratios of the other rows can be trusted to.
 */
import { shuffled, type Random } from './random';
import { calibrate, sample, type Effort, type Work } from './sampling';
import { summarise, type Row } from './statistics';

/** One contender */
export interface Case {
  name: string;
  work: Work;
  /** Before anything is timed; throws unless it answers rightly: the good is accepted **and** the bad refused */
  check(): void | Promise<void>;
}

/** Contenders that do the same */
export interface Group {
  /** Name of the case that the others are compared with */
  reference: string;
  cases: Case[];
  /** What a reader must know to judge the comparison */
  notes?: string[];
  /** Fewer samples, where each is dear */
  maxRounds?: number;
}

/** A group that is made only when it is chosen */
export interface GroupPlan {
  name: string;
  make(effort: Effort): Group | Promise<Group>;
}

export interface GroupResult {
  name: string;
  reference: string;
  rows: Row[];
  notes?: string[];
}

export const CONTROL_SUFFIX = ' (control)';

export async function measureGroup(plan: GroupPlan, effort: Effort, random: Random): Promise<GroupResult> {
  const group = await plan.make(effort);
  const cases = withControl(group);
  for (const contender of cases) await check(contender, plan.name);
  // The control is the reference: were it warmed up for itself, the reference would be twice as warm as the others.
  const iterations = new Map<Case['work'], number>();
  for (const { work } of group.cases) iterations.set(work, await calibrate(work, effort));

  const samples: number[][] = cases.map(() => []);
  const rounds = Math.min(effort.rounds, group.maxRounds ?? Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const index of shuffled([...cases.keys()], random)) {
      const { work } = cases[index] as Case;
      samples[index]?.push(await sample(work, iterations.get(work) as number));
    }
  }
  const reference = samples[cases.findIndex(({ name }) => name === group.reference)] as number[];
  return {
    name: plan.name,
    reference: group.reference,
    rows: cases.map(({ name }, index) => summarise(name, samples[index] as number[], reference)),
    ...(group.notes && { notes: group.notes }),
  };
}

/** The cases, with the reference a second time beside itself */
export function withControl({ reference, cases }: Group): Case[] {
  const names = cases.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Error(`a name occurs twice: ${names.join(', ')}`);
  const twice = cases.find(({ name }) => name === reference);
  if (!twice) throw new Error(`there is no case "${reference}": ${names.join(', ')}`);
  return cases.flatMap(each => (each === twice ? [each, { ...each, name: `${each.name}${CONTROL_SUFFIX}` }] : [each]));
}

async function check(contender: Case, group: string): Promise<void> {
  try {
    await contender.check();
  } catch (error) {
    throw new Error(`${group}: ${contender.name} does not answer rightly, so it is not timed`, { cause: error });
  }
}
