import { createPermission } from '@backstage/plugin-permission-common';

/** Permissions of this plugin's own routes, one each */
export const tokenInspectPermission = createPermission({ name: 'entra-access.token.inspect', attributes: {} });
export const decisionExplainPermission = createPermission({ name: 'entra-access.decision.explain', attributes: {} });
/** In addition, to ask about somebody else */
export const decisionExplainOthersPermission = createPermission({
  name: 'entra-access.decision.explain-others',
  attributes: {},
});
/** In addition, to be told of rules that are for others, and whom they are for */
export const policyReadPermission = createPermission({
  name: 'entra-access.policy.read',
  attributes: { action: 'read' },
});
/** In addition, to be told in which groups others are */
export const groupsReadPermission = createPermission({
  name: 'entra-access.groups.read',
  attributes: { action: 'read' },
});
export const whoamiReadPermission = createPermission({
  name: 'entra-access.whoami.read',
  attributes: { action: 'read' },
});
export const statusReadPermission = createPermission({
  name: 'entra-access.status.read',
  attributes: { action: 'read' },
});
/** To read and to verify the audit trail */
export const auditReadPermission = createPermission({
  name: 'entra-access.audit.read',
  attributes: { action: 'read' },
});

/** All of them */
export const entraAccessPermissions = [
  tokenInspectPermission,
  decisionExplainPermission,
  decisionExplainOthersPermission,
  policyReadPermission,
  groupsReadPermission,
  whoamiReadPermission,
  statusReadPermission,
  auditReadPermission,
];

const BY_NAME: ReadonlyMap<string, (typeof entraAccessPermissions)[number]> = new Map(
  entraAccessPermissions.map(each => [each.name, each]),
);

/** @throws Error for a name that is none of them: a mistake in this package */
export function permissionNamed(name: string) {
  const permission = BY_NAME.get(name);
  if (!permission) throw new Error(`there is no permission ${name}`);
  return permission;
}
