/** Sections of other readers, which judge them: whatever is not of the expected shape is empty here */

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** All texts of one member of the tenants, such as `audiences`, in lower case */
export function ofTenants(tenants: unknown, member: string): ReadonlySet<string> {
  const texts = list(tenants).flatMap(tenant => list(mapping(tenant)[member]));
  return new Set(texts.map(text => String(text).toLowerCase()));
}
