import type { Decision } from './types';

const EFFECTS = ['DENY', 'ALLOW', 'CONDITIONAL'] as const;
const DEPENDENCES = [undefined, 'owned', 'notOwned'] as const;
const GROUNDS: Record<number, Decision['ground']> = {
  0xffff: 'default',
  0xfffe: 'unknownPrincipal',
  0xfffd: 'notReady',
};

/** The answer while there is no instance to ask */
export const CORE_UNAVAILABLE: Decision = Object.freeze({ effect: 'DENY', ground: 'coreUnavailable' });

/** Turns the core's decision numbers into frozen objects, each made once for a policy */
export class DecisionReader {
  readonly #ruleIds: readonly string[];
  readonly #seen = new Map<number, Decision>();

  constructor(ruleIds: readonly string[]) {
    this.#ruleIds = ruleIds;
  }

  /** Bits 0-1 effect, 2-3 dependence, 16-31 ground; whatever cannot be read is a DENY */
  read(number: number): Decision {
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
    const whole = ground !== undefined || rule !== undefined;
    if (effect === undefined || !whole || (effect === 'CONDITIONAL') !== (dependence !== undefined)) {
      return CORE_UNAVAILABLE;
    }
    return Object.freeze({ effect, dependence, rule, ground: ground ?? 'rule' });
  }
}
