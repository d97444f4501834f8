//! The names of the claims that are read, told apart by one comparison each

use crate::bytes;

macro_rules! claim_names {
    ($($variant:ident = $text:literal,)*) => {
        /// A claim that is read
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ClaimName { $(#[doc = $text] $variant,)* }

        impl ClaimName {
            /// Every one
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it stands in a token
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The claim with exactly this name; the short ones, which are most, by one number
            #[inline(always)]
            #[expect(non_upper_case_globals, unreachable_patterns, reason = "a constant for each variant; long names have no number, and none gets that far")]
            pub fn of(name: &[u8]) -> Option<Self> {
                $(
                    const $variant: u64 = spell($text.as_bytes());
                )*
                if name.len() > SHORT {
                    return Self::ALL.iter().copied().find(|claim| claim.as_str().as_bytes() == name);
                }
                match word(name) {
                    $($variant => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

claim_names! {
    Issuer = "iss",
    Audience = "aud",
    Tenant = "tid",
    Object = "oid",
    Expires = "exp",
    NotBefore = "nbf",
    Issued = "iat",
    Version = "ver",
    AuthorizedParty = "azp",
    Application = "appid",
    IdType = "idtyp",
    Scope = "scp",
    Roles = "roles",
    Groups = "groups",
    Name = "name",
    Confirmation = "cnf",
    Nonce = "nonce",
    CodeHash = "c_hash",
    AccessHash = "at_hash",
    StateHash = "s_hash",
    Events = "events",
    HasGroups = "hasgroups",
    ClaimNames = "_claim_names",
    ActorFacets = "xms_act_fct",
    SubjectFacets = "xms_sub_fct",
    AuthContexts = "acrs",
    AuthMethods = "amr",
    AuthTime = "auth_time",
}

impl ClaimName {
    /// The claim that a reader which folds letter case would take this name for, when it is not written like that
    pub fn misspelt(name: &[u8]) -> Option<Self> {
        if !name.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        Self::ALL.iter().copied().find(|claim| claim.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// One bit for each
    pub const fn bit(self) -> u32 {
        #[expect(clippy::as_conversions, reason = "the number of a variant")]
        1_u32.wrapping_shl(self as u32)
    }
}

/// Longest name with a number of its own
const SHORT: usize = 7;

/// A short name as one number: its bytes, the first lowest, below its length
#[inline(always)]
fn word(name: &[u8]) -> u64 {
    let length = u64::try_from(name.len()).unwrap_or(0);
    bytes::head(name) | length << 56
}

/// The same letter by letter, for constants
const fn spell(name: &[u8]) -> u64 {
    if name.len() > SHORT {
        return u64::MAX;
    }
    let mut word = 0_u64;
    let mut rest = name;
    while let Some((byte, before)) = rest.split_last() {
        #[expect(clippy::as_conversions, reason = "widens a byte")]
        {
            word = word << 8 | *byte as u64;
        }
        rest = before;
    }
    #[expect(clippy::as_conversions, reason = "at most seven")]
    {
        word | (name.len() as u64) << 56
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_nothing_else() {
        assert!(ClaimName::ALL.len() <= 32, "one bit for each");
        for claim in ClaimName::ALL {
            let name = claim.as_str();
            assert_eq!(ClaimName::of(name.as_bytes()), Some(*claim));
            if name.len() <= SHORT {
                assert_eq!(word(name.as_bytes()), spell(name.as_bytes()));
            }
            assert_eq!(ClaimName::misspelt(name.as_bytes()), None);
            assert_eq!(ClaimName::misspelt(name.to_uppercase().as_bytes()), Some(*claim));
            for other in [
                format!("\0{name}"),
                format!("{name}\0"),
                format!("{name} "),
                name[1..].to_owned(),
                name.to_uppercase(),
            ] {
                assert_eq!(ClaimName::of(other.as_bytes()), None, "{other:?}");
            }
        }
    }
}
