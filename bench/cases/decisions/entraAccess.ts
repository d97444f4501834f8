/** Ours: the core asked by handle, and the policy as Backstage's permission backend asks it. */
import assert from 'node:assert/strict';
import type { PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import type * as Policies from '../../../plugin-js/src/permission/policy';
import type { PermissionInput, PrincipalHandle } from '../../../plugin-js/src/core';
import type { EntraAccess } from '../../../plugin-js/src/service/entraAccess';
import { IN_A_DAY, makeEntraAccess, personOf, published } from '../published';
import type { AsyncDecider, Decider } from './decider';
import type { DecisionScene } from './scene';

/** With the rules of the scene, and everybody signed in */
export function signedIn({ rules, askers }: DecisionScene): EntraAccess {
  const entraAccess = makeEntraAccess(
    rules.map(({ id, effect, permission, group }) => ({
      ...{ id, effect, permissions: [permission.name], principals: [{ group }] },
    })),
  );
  for (const { entityRef, objectId, groups } of askers) {
    assert.ok(entraAccess.sessions.open(entityRef, personOf(objectId, groups), IN_A_DAY) !== undefined, entityRef);
  }
  return entraAccess;
}

interface Asked {
  handle: PrincipalHandle;
  permission: PermissionInput;
}

/** By handle, time of expiry included; the permission as the policy puts it to the core */
export function entraAccess({ core, sessions }: EntraAccess): Decider<Asked> {
  const { permissionInput } = published<typeof Policies>('permission/policy');
  return {
    name: 'entra-access, by handle',
    prepare: ({ asker, permission }) => ({
      handle: sessions.find(asker.entityRef) as PrincipalHandle,
      permission: permissionInput(backstagePermission(permission)),
    }),
    allows: ({ handle, permission }) => core.decide(handle, permission).effect === 'ALLOW',
  };
}

/** By entity ref, as Backstage asks */
export function entraAccessHandle(entraAccess: EntraAccess): AsyncDecider<[PolicyQuery, PolicyQueryUser]> {
  const { EntraPermissionPolicy } = published<typeof Policies>('permission/policy');
  const policy = new EntraPermissionPolicy(entraAccess);
  return {
    name: 'entra-access, handle()',
    prepare: ({ asker, permission }) => [
      { permission: backstagePermission(permission) },
      {
        credentials: { $$type: '@backstage/BackstageCredentials', principal: principalOf(asker.entityRef) },
      } as PolicyQueryUser,
    ],
    allows: async ([query, user]) => (await policy.handle(query, user)).result === 'ALLOW',
  };
}

const backstagePermission = ({ name, action, resourceType }: PermissionInput) =>
  ({
    ...{ name, attributes: action ? { action } : {} },
    ...(resourceType ? { type: 'resource', resourceType } : { type: 'basic' }),
  }) as PolicyQuery['permission'];

const principalOf = (userEntityRef: string) => ({ type: 'user', userEntityRef });
