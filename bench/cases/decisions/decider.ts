/** Something that decides, and how it becomes a case. */
import assert from 'node:assert/strict';
import type { Case } from '../../harness';
import type { DecisionScene, Question } from './scene';

/** `Input` is what it has of a question before it is asked: an id, an object, ... made once */
export interface Decider<Input> {
  name: string;
  prepare(question: Question): Input;
  allows(input: Input): boolean;
}

export interface AsyncDecider<Input> extends Omit<Decider<Input>, 'allows'> {
  allows(input: Input): Promise<boolean>;
}

/** Questions in one go: a decision is shorter than the loop that measures it */
const IN_ONE_GO = 16;

/** Asks all questions in turn; each answer is compared, also while it is timed */
export function decisionCase<Input>(decider: Decider<Input>, scene: DecisionScene): Case {
  const { inputs, expected, check } = prepared(decider, scene);
  let at = 0;
  const once = () => {
    let right = true;
    for (let left = IN_ONE_GO; left > 0; left -= 1) {
      if (decider.allows(inputs[at] as Input) !== expected[at]) right = false;
      at = at + 1 === inputs.length ? 0 : at + 1;
    }
    return right;
  };
  return { name: decider.name, work: { kind: 'sync', once, operations: IN_ONE_GO }, check };
}

/** The same, each awaited */
export function awaitedDecisionCase<Input>(decider: AsyncDecider<Input>, scene: DecisionScene): Case {
  const { inputs, expected, check } = prepared(decider, scene);
  let at = -1;
  const once = async () => {
    at = at + 1 === inputs.length ? 0 : at + 1;
    return (await decider.allows(inputs[at] as Input)) === expected[at];
  };
  return { name: decider.name, work: { kind: 'awaited', once }, check };
}

function prepared<Input>(
  { name, prepare, allows }: Decider<Input> | AsyncDecider<Input>,
  { questions }: DecisionScene,
): { inputs: Input[]; expected: boolean[]; check(): Promise<void> } {
  const inputs = questions.map(prepare);
  const check = async () => {
    for (const [at, { asker, permission, allowed }] of questions.entries()) {
      assert.equal(await allows(inputs[at] as Input), allowed, `${name}: ${asker.entityRef}, ${permission.name}`);
    }
  };
  return { inputs, expected: questions.map(({ allowed }) => allowed), check };
}
