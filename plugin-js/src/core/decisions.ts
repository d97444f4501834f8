import type { Criteria, Decision } from './types';

const EFFECTS = ['DENY', 'ALLOW', 'CONDITIONAL'] as const;
const DEPENDENCES = ['none', 'owned', 'notOwned', 'criteria'] as const;
/** Stands for a condition without a number */
const NO_NUMBER = 0xfff;
const GROUNDS: Record<number, Decision['ground']> = {
  0xffff: 'default',
  0xfffe: 'unknownPrincipal',
  0xfffd: 'notReady',
  0xfffc: 'conditionTooLong',
  0xfffb: 'unmet',
  0xfffa: 'principalRevoked',
  0xfff9: 'breakGlass',
};

/** The answer while there is no instance to ask */
export const CORE_UNAVAILABLE: Decision = Object.freeze({ effect: 'DENY', ground: 'coreUnavailable' });

/** The answer about nobody: a ref without a session, a handle of another instance */
export const UNKNOWN_PRINCIPAL: Decision = Object.freeze({ effect: 'DENY', ground: 'unknownPrincipal' });

/** A power of two, above the number of decisions that most policies come to */
const RECENT = 1024;

/** Turns the core's decision numbers into frozen objects, each made once for a policy */
export class DecisionReader {
  readonly #ruleIds: readonly string[];
  readonly #criteria: (number: number) => string;
  readonly #seen = new Map<number, Decision>();
  /** The last decision for each place, and its number: most are above 31 bits, which a Map finds only slowly */
  readonly #numbers = new Uint32Array(RECENT);
  readonly #decisions: Array<Decision | undefined> = Array.from({ length: RECENT });

  /** `criteria` gives the JSON text of a condition by its number, empty when there is none */
  constructor(ruleIds: readonly string[], criteria: (number: number) => string = () => '') {
    this.#ruleIds = ruleIds;
    this.#criteria = criteria;
  }

  /**
   * Bits 0-1 effect, 2-3 dependence, 4-15 number of the condition, 16-31 ground; whatever cannot be read is a DENY.
   *
   * A decision on `criteria` that carries none needs {@link withCriteria}.
   */
  read(number: number): Decision {
    const place = (number ^ (number >>> 16)) & (RECENT - 1);
    const recent = this.#decisions[place];
    if (recent !== undefined && this.#numbers[place] === number) return recent;
    const decision = this.#find(number);
    this.#numbers[place] = number;
    this.#decisions[place] = decision;
    return decision;
  }

  #find(number: number): Decision {
    let decision = this.#seen.get(number);
    if (decision === undefined) {
      decision = this.#parse(number);
      this.#seen.set(number, decision);
    }
    return decision;
  }

  #parse(number: number): Decision {
    const effect = EFFECTS[number & 3];
    const dependence = DEPENDENCES[(number >>> 2) & 3];
    const ground = GROUNDS[number >>> 16];
    const rule = ground === undefined ? this.#ruleIds[number >>> 16] : undefined;
    // Nothing but a rule allows anything, or an entry under `breakGlass`.
    const grounded = rule !== undefined || ground === 'breakGlass' || (ground !== undefined && effect === 'DENY');
    const fits = (effect === 'CONDITIONAL') === (dependence !== 'none');
    if (effect === undefined || !grounded || !fits) return CORE_UNAVAILABLE;
    const decision: Decision = {
      effect,
      dependence: dependence === 'none' ? undefined : dependence,
      rule,
      ground: ground ?? 'rule',
    };
    const condition = (number >>> 4) & 0xfff;
    if (dependence !== 'criteria') return condition === 0 ? Object.freeze(decision) : CORE_UNAVAILABLE;
    return condition === NO_NUMBER ? Object.freeze(decision) : withCriteria(decision, this.#criteria(condition));
  }
}

/** The same decision with its condition, given as JSON text; without one it is a DENY */
export function withCriteria(decision: Decision, json: string): Decision {
  if (json === '') return CORE_UNAVAILABLE;
  return Object.freeze({ ...decision, criteria: deepFreeze(JSON.parse(json) as Criteria) });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
