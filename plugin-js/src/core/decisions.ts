import type { Decision } from './types';

const EFFECTS = ['DENY', 'ALLOW', 'CONDITIONAL'] as const;
const DEPENDENCES = ['none', 'owned', 'notOwned'] as const;
const GROUNDS: Record<number, Decision['ground']> = {
  0xffff: 'default',
  0xfffe: 'unknownPrincipal',
  0xfffd: 'notReady',
};

/** The answer while there is no instance to ask */
export const CORE_UNAVAILABLE: Decision = Object.freeze({ effect: 'DENY', ground: 'coreUnavailable' });

/** The answer about nobody: a ref without a session, a handle of another instance */
export const UNKNOWN_PRINCIPAL: Decision = Object.freeze({ effect: 'DENY', ground: 'unknownPrincipal' });

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
    // Nothing but a rule allows anything.
    const grounded = rule !== undefined || (ground !== undefined && effect === 'DENY');
    const fits = effect === 'CONDITIONAL' ? dependence === 'owned' || dependence === 'notOwned' : dependence === 'none';
    if (effect === undefined || !grounded || !fits) return CORE_UNAVAILABLE;
    return Object.freeze({
      effect,
      dependence: dependence === 'none' ? undefined : dependence,
      rule,
      ground: ground ?? 'rule',
    });
  }
}
