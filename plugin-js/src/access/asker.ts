import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { NotAllowedError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import { coded } from '../service/coded';

/** Whoever asks, however they came in, with what they may */
export interface Asker {
  credentials: BackstageCredentials;
  may(permission: BasicPermission): Promise<boolean>;
  /** @throws NotAllowedError where they may not */
  must(permission: BasicPermission): Promise<void>;
}

/** Whoever has credentials; `refused` may turn a refusal into another one */
export function askerOf(
  credentials: BackstageCredentials,
  permissions: PermissionsService,
  refused?: (permission: BasicPermission) => void,
): Asker {
  async function may(permission: BasicPermission): Promise<boolean> {
    const [decision] = await permissions.authorize([{ permission }], { credentials });
    return decision?.result === AuthorizeResult.ALLOW;
  }
  return {
    credentials,
    may,
    async must(permission) {
      if (await may(permission)) return;
      refused?.(permission);
      throw coded('permission_needed', new NotAllowedError(`permission ${permission.name} is needed`));
    },
  };
}
