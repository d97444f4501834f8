//! How strongly a caller proved who they are, as far as Entra says; nothing that is absent counts

use serde::Serialize;

use crate::time::Timestamp;

/// What the token said about the sign-in behind it
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assurance {
    /// Authentication contexts that were satisfied, `c1` to `c99` (`acrs`)
    pub auth_contexts: Vec<String>,
    /// More than one factor was used (`amr`, which only v1.0 tokens carry)
    pub mfa: bool,
    /// When the person last signed in, in seconds (`auth_time`)
    signed_in_at: Option<u64>,
}

impl Assurance {
    /// From the claims `acrs`, `amr` and `auth_time`
    pub fn new(auth_contexts: Vec<String>, mfa: bool, signed_in_at: Option<Timestamp>) -> Self {
        Self { auth_contexts, mfa, signed_in_at: signed_in_at.map(Timestamp::seconds) }
    }

    /// When the person last signed in
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        self.signed_in_at.map(Timestamp::from_seconds)
    }

    /// Whether nothing is known: then a record leaves it out
    pub fn is_absent(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this names an authentication context
    pub fn is_auth_context(text: &str) -> bool {
        let number =
            text.strip_prefix('c').filter(|number| (1..=2).contains(&number.len()) && !number.starts_with('0'));
        number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_c1_to_c99() {
        for good in ["c1", "c9", "c10", "c99"] {
            assert!(Assurance::is_auth_context(good), "{good}");
        }
        for bad in ["", "c", "c0", "c01", "c100", "C1", "1", "c1 ", "cc1", "c-1", "c+1", "p1"] {
            assert!(!Assurance::is_auth_context(bad), "{bad}");
        }
    }

    #[test]
    fn nothing_is_absent() {
        assert!(Assurance::default().is_absent());
        assert!(!Assurance::new(vec![], true, None).is_absent());
    }
}
