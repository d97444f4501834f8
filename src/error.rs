//! What can go wrong, in stable words: rejection codes for tokens, errors for the operator's configuration

use std::fmt;

macro_rules! rejection_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $advice:literal;)*) => {
        /// Why a token was refused; the text form is stable and part of the public contract
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RejectionCode { $($(#[$doc])* $variant,)* }

        impl RejectionCode {
            /// Every code, in the order of their numbers at the WebAssembly boundary
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text form, such as `token_expired`
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What the operator or the caller can do about it: one fixed sentence without any token content
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

rejection_codes! {
    /// Not a compact JWS of strict base64url and strict JSON (RFC 7515 section 3.1, RFC 8725 section 3.14)
    TokenMalformed = "token_malformed", "send one compact JWS: three base64url parts, each strict JSON in UTF-8, nothing around it";
    /// Longer than [`crate::limits::TOKEN_BYTES`]
    TokenTooLarge = "token_too_large", "the token is longer than the limit; reduce the claims configured for the application";
    /// Five parts: a JWE, which is never decrypted (RFC 8725 section 2.12)
    TokenEncrypted = "token_encrypted", "encrypted tokens are not accepted; turn token encryption off for this application";
    /// `alg` is not one the issuer profile and the key allow
    AlgorithmNotAllowed = "algorithm_not_allowed", "the issuer must sign with the algorithm of its published key; unsigned and symmetric tokens are never accepted";
    /// `crit` is present (RFC 7515 section 4.1.11): no extension is understood
    CriticalHeaderUnsupported = "critical_header_unsupported", "the token demands an extension (`crit`) that is not supported";
    /// No key of the issuer has this `kid`
    KeyUnknown = "key_unknown", "the issuer does not publish the key that signed this token; check that the token is from the configured cloud and tenant";
    /// The key exists and must not be used: weak, of another purpose, listed twice, or brought by the token itself
    KeyUnusable = "key_unusable", "the key named by the token is published in a form that must not be trusted, or the token brought its own key";
    /// No keys of the issuer have been loaded yet
    KeysUnavailable = "keys_unavailable", "the issuer's keys could not be fetched yet; check that the backend reaches the issuer's discovery address";
    /// The signature does not fit the key
    SignatureInvalid = "signature_invalid", "the signature does not fit; the token was changed, or is meant for Microsoft Graph";
    /// `iss` belongs to no issuer profile
    IssuerUntrusted = "issuer_untrusted", "the issuer is not configured; check `entraAccess.tenants` and the cloud, or `entraAccess.pipelines`";
    /// The key's own `issuer` or `cloud_instance_name` contradicts the token
    KeyIssuerMismatch = "key_issuer_mismatch", "the key is published for another issuer or cloud than the token names";
    /// The issuer is Entra, the tenant is not on the list
    TenantNotAllowed = "tenant_not_allowed", "the token is from a tenant that is not listed under `entraAccess.tenants`";
    /// `aud` names none of the configured audiences
    AudienceMismatch = "audience_mismatch", "the token is for another application; check `audiences` of the tenant or pipeline against the token's `aud`";
    /// `exp` has passed
    TokenExpired = "token_expired", "the token has expired; get a new one (or check the clock of this machine)";
    /// `nbf` or `iat` lies in the future
    TokenNotYetValid = "token_not_yet_valid", "the token is not valid yet; check the clock of this machine";
    /// `exp - iat` is longer than the issuer profile allows
    LifetimeTooLong = "lifetime_too_long", "the token lives longer than tokens of this issuer may";
    /// A claim that must be there is not
    ClaimMissing = "claim_missing", "a required claim is missing; ask the token inspector which";
    /// A claim has the wrong type or form
    ClaimInvalid = "claim_invalid", "a claim has the wrong type or form; ask the token inspector which";
    /// A member appears twice, or a security claim in two letter cases
    ClaimDuplicated = "claim_duplicated", "a member appears more than once; such tokens are never accepted";
    /// An ID token where an access token is wanted, a token for a device, and the like
    TokenKindNotAllowed = "token_kind_not_allowed", "send an access token for this API: an ID token, or an app-only token without the optional claim `idtyp`, is not one";
    /// `cnf` is present: the token is bound to a key whose possession is not checked here
    ProofOfPossessionUnsupported = "proof_of_possession_unsupported", "proof-of-possession tokens are not supported; request a bearer token";
    /// The app-only caller's client id is not on the list
    ClientNotAllowed = "client_not_allowed", "add the application's client id to `clients` of the tenant to let it in";
    /// The pipeline token matches no trust entry
    PipelineUntrusted = "pipeline_untrusted", "no trust entry under `entraAccess.pipelines` matches this job";
    /// The token counts once, and was claimed before
    TokenReplayed = "token_replayed", "the token counts once and was used before; get a new one";
    /// The principal was disabled, deleted or signed out everywhere
    PrincipalRevoked = "principal_revoked", "the account was disabled, deleted or signed out";
    /// The complete group list is not known
    GroupsUnknown = "groups_unknown", "the caller's groups are not known: the token leaves them out (overage) or Microsoft Graph is unreachable";
    /// A stronger sign-in is asked for
    StepUpRequired = "step_up_required", "sign in again with the stronger method that the policy asks for";
    /// A work budget of [`crate::limits`] is exhausted: depth, members, groups, key id
    BudgetExceeded = "budget_exceeded", "the token has more members, groups or nesting than any real token; it is not read further";
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mistake in configuration, policy or directory input: what, where, and the fix
///
/// In a box: results are handed about far more often than there is a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Box<ConfigMistake>);

/// What a [`ConfigError`] says
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMistake {
    /// Where, such as `entraAccess.tenants[0].tenantId`
    pub path: String,
    /// What is wrong, in a sentence fragment; never a secret
    pub message: String,
    /// The fix, where one is known
    pub hint: Option<String>,
}

impl ConfigError {
    /// A mistake at `path`
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(path.into(), message.into())
    }

    #[cold]
    #[inline(never)]
    fn at(path: String, message: String) -> Self {
        Self(Box::new(ConfigMistake { path, message, hint: None }))
    }

    /// The same with the fix
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.with(hint.into())
    }

    #[cold]
    #[inline(never)]
    fn with(mut self, hint: String) -> Self {
        self.0.hint = Some(hint);
        self
    }

    /// All that it says
    pub fn into_inner(self) -> ConfigMistake {
        *self.0
    }
}

impl std::ops::Deref for ConfigError {
    type Target = ConfigMistake;

    fn deref(&self) -> &ConfigMistake {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut seen = std::collections::HashSet::new();
        for code in RejectionCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!code.advice().is_empty());
        }
    }
}
