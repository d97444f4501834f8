import { catalogPermissions } from '@backstage/plugin-catalog-common/alpha';
import { z } from 'zod';
import { entraAccessPermissions } from '../access/permissions';
import type { PermissionInput } from '../core';
import { permissionInput } from '../permission/policy';
import { checked, type Placed } from './documents';
import { quoted } from '../service/text';

/** Those whose action and type of resource are known without the plugin that declares them */
const KNOWN: ReadonlyMap<string, PermissionInput> = new Map(
  [...catalogPermissions, ...entraAccessPermissions].map(known => [known.name, permissionInput(known)]),
);

const writtenSchema = z.strictObject({
  name: z.string().min(1),
  action: z.enum(['create', 'read', 'update', 'delete']).optional(),
  resourceType: z.string().min(1).optional(),
});

/**
 * Reads a permission: the name of a known one, or `{ name, action, resourceType }` as its plugin declares it.
 * @throws ConfigurationError for a name alone that is not known: rules hang on its action and its type of resource, too
 */
export function readPermission({ value, place }: Placed): PermissionInput {
  if (typeof value !== 'string') return checked(writtenSchema, { value, place });
  const known = KNOWN.get(value);
  if (known) return known;
  const plugin = /^[a-z0-9-]{1,64}(?=\.)/.exec(value)?.[0] ?? '<plugin>';
  const near = [...KNOWN.keys()].filter(name => name.startsWith(`${plugin}.`));
  throw place.mistake(
    `permission ${quoted(value)} is not known here`,
    near.length > 0
      ? `one of ${near.join(', ')}`
      : `write { name, action, resourceType } as /api/${plugin}/.well-known/backstage/permissions/metadata shows it`,
  );
}
