const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether it has the form of an Entra id, in letters of either case */
export function isGuid(value: unknown): value is string {
  return typeof value === 'string' && GUID.test(value);
}
