/** Why a token was refused; stable, see the README. A test proves this list equal to the core's. */
export const REJECTION_CODES = [
  'token_malformed',
  'token_too_large',
  'token_encrypted',
  'algorithm_not_allowed',
  'critical_header_unsupported',
  'key_unknown',
  'key_unusable',
  'keys_unavailable',
  'signature_invalid',
  'issuer_untrusted',
  'key_issuer_mismatch',
  'tenant_not_allowed',
  'audience_mismatch',
  'token_expired',
  'token_not_yet_valid',
  'lifetime_too_long',
  'claim_missing',
  'claim_invalid',
  'claim_duplicated',
  'token_kind_not_allowed',
  'proof_of_possession_unsupported',
  'client_not_allowed',
  'pipeline_untrusted',
  'token_replayed',
  'principal_revoked',
  'groups_unknown',
  'step_up_required',
  'budget_exceeded',
] as const;

/** One of {@link REJECTION_CODES} */
export type RejectionCode = (typeof REJECTION_CODES)[number];
