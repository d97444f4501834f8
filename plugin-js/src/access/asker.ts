import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { NotAllowedError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import { coded } from '../service/coded';
import type { Asker } from './questions';

/** Whoever has credentials; `refused` may turn a refusal into another one */
export function askerOf(
  credentials: BackstageCredentials,
  permissions: PermissionsService,
  refused?: (permission: BasicPermission) => void,
): Asker {
  return {
    credentials,
    async must(permission) {
      const [decision] = await permissions.authorize([{ permission }], { credentials });
      if (decision?.result === AuthorizeResult.ALLOW) return;
      refused?.(permission);
      throw coded('permission_needed', new NotAllowedError(`permission ${permission.name} is needed`));
    },
  };
}
