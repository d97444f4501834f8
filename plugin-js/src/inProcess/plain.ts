const ACTIONS: ReadonlySet<unknown> = new Set([undefined, 'create', 'read', 'update', 'delete']);

/**
 * Whether the permission backend would take a question as it is. One with more to it, or something amiss, is for itself to
 * judge: it drops some things, and refuses others with words of its own.
 */
export function isPlain(query: unknown): boolean {
  const { permission, resourceRef } = fields(query);
  const { type, name, attributes, resourceType } = fields(permission);
  const isResource = type === 'resource' && typeof resourceType === 'string';
  const isBasic = type === 'basic' && resourceType === undefined && !('resourceType' in fields(permission));
  const fits = resourceRef === undefined || (isResource && typeof resourceRef === 'string' && resourceRef !== '');
  return (
    // Would take the place of its own.
    !('id' in fields(query)) &&
    typeof name === 'string' &&
    (isResource || isBasic) &&
    fits &&
    typeof attributes === 'object' &&
    attributes !== null &&
    ACTIONS.has(fields(attributes).action)
  );
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
