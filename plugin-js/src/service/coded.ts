/**
 * Stable codes of errors that are not about a token; part of the public contract, like the rejection codes.
 *
 * Backstage serialises own properties of an error, so `error.code` reaches the caller.
 */
export type ErrorCode =
  | 'request_invalid'
  | 'method_not_allowed'
  | 'rate_limited'
  | 'permission_unknown'
  | 'permission_needed'
  | 'entity_not_found'
  | 'not_signed_in'
  | 'principal_conflict'
  | 'header_invalid'
  | 'sign_in_incomplete'
  | 'sign_in_unavailable'
  | 'id_token_missing'
  | 'identity_unavailable'
  | 'sessions_unavailable'
  | 'core_unavailable'
  | 'audit_unavailable'
  | 'plugin_unavailable';

/** What a 503 says is away; a code that is none of them is not handed on with one */
export const UNAVAILABLE_CODES = [
  'core_unavailable',
  'sessions_unavailable',
  'audit_unavailable',
  'sign_in_unavailable',
  'identity_unavailable',
  'plugin_unavailable',
] as const satisfies readonly ErrorCode[];

/** The code of a 503 about signing in, by what was said */
export function unavailableCode(said: string | undefined): (typeof UNAVAILABLE_CODES)[number] {
  return UNAVAILABLE_CODES.find(code => code === said) ?? 'sign_in_unavailable';
}

/** The same error with its code */
export function coded<E extends Error>(code: ErrorCode, error: E): E & { code: ErrorCode } {
  return Object.assign(error, { code });
}
