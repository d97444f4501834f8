/** The policies that one would write by hand. */
import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { catalogConditions, createCatalogConditionalDecision } from '@backstage/plugin-catalog-backend/alpha';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PermissionPolicy, PolicyQuery, PolicyQueryUser } from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import type { UserInfoService } from '@backstage/backend-plugin-api';

const READ = 'catalog.entity.read';
const ALLOW: PolicyDecision = { result: AuthorizeResult.ALLOW };

/** The least that a policy can do */
export const trivialPolicy = policyModule('trivial', () => ({ handle: async () => ALLOW }));

/** As Backstage's documentation has it: one reads what one owns */
export const ownersPolicy = policyModule('owners', userInfo => ({
  async handle({ permission }: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    if (!user) return { result: AuthorizeResult.DENY };
    if (permission.name !== READ || !isResourcePermission(permission, 'catalog-entity')) return ALLOW;
    const { ownershipEntityRefs: claims } = await userInfo.getUserInfo(user.credentials);
    return createCatalogConditionalDecision(permission, catalogConditions.isEntityOwner({ claims }));
  },
}));

function policyModule(name: string, make: (userInfo: UserInfoService) => PermissionPolicy) {
  return createBackendModule({
    pluginId: 'permission',
    moduleId: `bench-${name}`,
    register(env) {
      env.registerInit({
        deps: { policy: policyExtensionPoint, userInfo: coreServices.userInfo },
        async init({ policy, userInfo }) {
          policy.setPolicy(make(userInfo));
        },
      });
    },
  });
}
