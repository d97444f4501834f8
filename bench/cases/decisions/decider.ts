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

/** Asks all questions in turn; each answer is compared, also while it is timed */
export function decisionCase<Input>(decider: Decider<Input>, scene: DecisionScene): Case {
  const { next, check } = turns(decider, scene);
  const once = () => {
    const { input, allowed } = next();
    return decider.allows(input) === allowed;
  };
  return { name: decider.name, work: { kind: 'sync', once }, check };
}

/** The same, each awaited */
export function awaitedDecisionCase<Input>(decider: AsyncDecider<Input>, scene: DecisionScene): Case {
  const { next, check } = turns(decider, scene);
  const once = async () => {
    const { input, allowed } = next();
    return (await decider.allows(input)) === allowed;
  };
  return { name: decider.name, work: { kind: 'awaited', once }, check };
}

function turns<Input>(
  { name, prepare, allows }: Decider<Input> | AsyncDecider<Input>,
  { questions }: DecisionScene,
): { next(): { input: Input; allowed: boolean }; check(): Promise<void> } {
  const prepared = questions.map(question => ({ input: prepare(question), allowed: question.allowed }));
  let at = -1;
  const next = () => {
    at = at + 1 === prepared.length ? 0 : at + 1;
    return prepared[at] as { input: Input; allowed: boolean };
  };
  const check = async () => {
    for (const [number, { input, allowed }] of prepared.entries()) {
      const { asker, permission } = questions[number] as Question;
      assert.equal(await allows(input), allowed, `${name}: ${asker.entityRef}, ${permission.name}`);
    }
  };
  return { next, check };
}
