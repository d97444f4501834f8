/** casbin with roles: the model of `@backstage-community/plugin-rbac-backend`, held in memory. */
import { newCachedEnforcer, newEnforcer, newModelFromString, type Enforcer } from 'casbin';
import type { AsyncDecider, Decider } from './decider';
import type { DecisionScene, Question } from './scene';

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[role_definition]
g = _, _
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`;

type Asked = [subject: string, object: string, action: string];

export async function casbin(scene: DecisionScene): Promise<Decider<Asked>> {
  const enforcer = await filled(await newEnforcer(newModelFromString(MODEL)), scene);
  return { name: 'casbin, enforceSync', prepare, allows: asked => enforcer.enforceSync(...asked) };
}

/** Remembers answers without end */
export async function casbinCached(scene: DecisionScene): Promise<AsyncDecider<Asked>> {
  const enforcer = await filled(await newCachedEnforcer(newModelFromString(MODEL)), scene);
  return { name: 'casbin, CachedEnforcer', prepare, allows: asked => enforcer.enforce(...asked) };
}

const roleOf = (group: string) => `role:default/${group}`;
const actOf = (action?: string) => action ?? 'use';

function prepare({ asker, permission }: Question): Asked {
  return [asker.entityRef, permission.name, actOf(permission.action)];
}

async function filled<E extends Enforcer>(enforcer: E, { rules, askers }: DecisionScene): Promise<E> {
  await enforcer.addPolicies(
    rules.map(({ group, permission, effect }) => [roleOf(group), permission.name, actOf(permission.action), effect]),
  );
  await enforcer.addGroupingPolicies(
    askers.flatMap(({ entityRef, groups }) => groups.map(group => [entityRef, roleOf(group)])),
  );
  return enforcer;
}
