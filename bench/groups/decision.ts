/** One decision: may this person do that? The same rules in the words of each engine. */
import { casbin, casbinCached } from '../cases/decisions/casbin';
import { casl, caslAnew } from '../cases/decisions/casl';
import { cedar } from '../cases/decisions/cedar';
import { awaitedDecisionCase, decisionCase } from '../cases/decisions/decider';
import { entraAccess, entraAccessHandle, signedIn } from '../cases/decisions/entraAccess';
import { mapAndSet, mapAndSetHandle, remembered } from '../cases/decisions/handWritten';
import { decisionScene, universeOf } from '../cases/decisions/scene';
import type { Group, GroupPlan } from '../harness';

const RULES = [10, 100, 1_000];
const GROUPS = [5, 50, 1_000];
/** The row of the goals has all rounds, the others show how it grows */
const OTHER_ROUNDS = 15;
const number = (count: number) => count.toLocaleString('en');
const isHeadline = (rules: number, groups: number) => rules === 100 && groups === 50;

export const plans: GroupPlan[] = RULES.flatMap(rules =>
  GROUPS.map(groups => ({
    name: `one policy decision, ${number(rules)} rules, 10 permissions, user in ${number(groups)} of ${number(universeOf(groups))} groups`,
    make: () => make(rules, groups),
  })),
);

async function make(rules: number, groups: number): Promise<Group> {
  const scene = decisionScene(rules, groups);
  const ours = signedIn(scene);
  return {
    reference: 'Map and Set',
    ...(!isHeadline(rules, groups) && { maxRounds: OTHER_ROUNDS }),
    cases: [
      decisionCase(mapAndSet(scene), scene),
      awaitedDecisionCase(mapAndSetHandle(scene), scene),
      decisionCase(remembered(scene), scene),
      decisionCase(entraAccess(ours), scene),
      awaitedDecisionCase(entraAccessHandle(ours), scene),
      decisionCase(casl(scene), scene),
      decisionCase(caslAnew(scene), scene),
      decisionCase(await casbin(scene), scene),
      awaitedDecisionCase(await casbinCached(scene), scene),
      decisionCase(cedar(scene), scene),
    ],
    notes: [
      `${scene.askers.length} people in turn, ${scene.questions.length} questions, ${scene.questions.filter(({ allowed }) => allowed).length} of them allowed; each answer is compared`,
      'names of permissions are constants, as plugins declare them; texts of their own, as requests bring them, cost entra-access more than the Maps',
      'each rule names one group and one permission; casbin, cedar and CASL can say far more than these rules do',
      'entra-access compares the expiry of the sign-in in every decision (the time is read once in a turn of JavaScript); Map, CASL and casbin never forget anybody',
    ],
  };
}
