/**
 * cedar-wasm with policies parsed beforehand. Entities can't be: each call brings the person with all groups as parents;
 * the groups themselves need no entry, which is the cheaper form.
 */
import assert from 'node:assert/strict';
import v8 from 'node:v8';
import {
  preparsePolicySet,
  statefulIsAuthorized,
  type StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Decider } from './decider';
import type { DecisionScene, Rule } from './scene';

// V8 of Node 20 ends the process (`unreachable code`, Deoptimizer::DoComputeBuiltinContinuation) when it has compiled a call
// to a WebAssembly function that answers a reference, and the compiled code is given up during the call. Interpreted, that
// one line of glue costs cedar nothing that could be seen.
v8.setFlagsFromString('--allow-natives-syntax');
new Function('call', '%NeverOptimizeFunction(call)')(statefulIsAuthorized);
v8.setFlagsFromString('--no-allow-natives-syntax');

let sets = 0;

export function cedar({ rules }: DecisionScene): Decider<StatefulAuthorizationCall> {
  const preparsedPolicySetId = `scene-${(sets += 1)}`;
  const parsed = preparsePolicySet(preparsedPolicySetId, {
    staticPolicies: Object.fromEntries(rules.map(rule => [rule.id, policyOf(rule)])),
  });
  assert.equal(parsed.type, 'success', JSON.stringify(parsed));
  return {
    name: 'cedar-wasm, stateful, policies parsed beforehand',
    prepare: ({ asker, permission }) => {
      const principal = { type: 'User', id: asker.entityRef };
      const parents = asker.groups.map(id => ({ type: 'Group', id }));
      return {
        principal,
        action: { type: 'Action', id: permission.name },
        resource: { type: 'Application', id: 'backstage' },
        context: {},
        preparsedPolicySetId,
        entities: [{ uid: principal, attrs: {}, parents }],
      };
    },
    allows(call) {
      const answer = statefulIsAuthorized(call);
      return answer.type === 'success' && answer.response.decision === 'allow';
    },
  };
}

function policyOf({ effect, group, permission }: Rule): string {
  const word = effect === 'allow' ? 'permit' : 'forbid';
  return `${word}(principal in Group::"${group}", action == Action::"${permission.name}", resource);`;
}
