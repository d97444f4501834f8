//! What a rule asks of the sign-in behind a call: `requires`

use serde::Serialize;

use crate::{error::ConfigError, identity::Assurance, json::At, limits, time::Timestamp};

/// Requirements; all of those named must be met. What is absent or unknown is not met
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// An authentication context
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_context: Option<String>,
    /// More than one factor
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
    /// A sign-in within so many seconds
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_in_within: Option<u64>,
}

impl Requirement {
    /// Reads `requires`
    pub fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        let members = at.members(&["authContext", "mfa", "signedInWithin"])?;
        if members.is_empty() {
            return Err(at
                .mistake("nothing is required")
                .hint("name `authContext`, `mfa` or `signedInWithin`, or leave `requires` out"));
        }
        let mut required = Self::default();
        if let Some(at) = at.member("authContext") {
            required.auth_context = Some(at.parsed("an authentication context of Entra, `c1` to `c99`", |text| {
                Assurance::is_auth_context(text).then(|| text.into())
            })?);
        }
        if let Some(at) = at.member("mfa") {
            at.truth("leave `mfa` out where one factor is enough")?;
            required.mfa = Some(true);
        }
        if let Some(at) = at.member("signedInWithin") {
            required.signed_in_within =
                Some(at.parsed("a time from 1m to 30d, such as `90s`, `15m`, `1h` or `7d`", seconds)?);
        }
        Ok(required)
    }

    /// Whether the sign-in meets all of it
    pub fn is_met(&self, assurance: &Assurance, now: Timestamp) -> bool {
        self.unmet(assurance, now) == Self::default()
    }

    /// What of it the sign-in does not meet
    pub fn unmet(&self, assurance: &Assurance, now: Timestamp) -> Self {
        let has = |context: &str| assurance.auth_contexts.iter().any(|known| known == context);
        let recent = |within: u64| assurance.signed_in_at().is_some_and(|time| now.since(time) < within);
        Self {
            auth_context: self.auth_context.clone().filter(|context| !has(context)),
            mfa: self.mfa.filter(|_| !assurance.mfa),
            signed_in_within: self.signed_in_within.filter(|within| !recent(*within)),
        }
    }

    /// What has to be done, in words
    pub fn words(&self) -> String {
        let context = self.auth_context.as_ref().map(|context| format!("with authentication context {context}"));
        let mfa = self.mfa.map(|_| "with more than one factor".to_owned());
        let recent = self.signed_in_within.map(|seconds| format!("within the last {seconds} seconds"));
        crate::text::join(&[context, mfa, recent].into_iter().flatten().collect::<Vec<_>>(), " and ")
    }
}

/// A whole number with its unit, within bounds
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 60 * 60,
        b'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = text.get(..text.len().checked_sub(1)?).filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (60..=limits::SIGNED_IN_WITHIN_SECONDS).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_bounds() {
        for (text, expected) in [("60s", 60), ("1m", 60), ("1h", 3600), ("30d", 2_592_000), ("90s", 90)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "h",
            "1",
            "3600",
            "59s",
            "0h",
            "31d",
            "-1h",
            "+1h",
            "1.5h",
            "1 h",
            "1H",
            "PT1H",
            "1hé",
            "99999999999999999999d",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_absent_is_not_met() {
        let all = Requirement { auth_context: Some("c1".into()), mfa: Some(true), signed_in_within: Some(60) };
        let now = Timestamp::from_seconds(1000);
        assert_eq!(all.unmet(&Assurance::default(), now), all);
        let strong = |time| Assurance::new(vec!["c2".into(), "c1".into()], true, Some(Timestamp::from_seconds(time)));
        assert!(all.is_met(&strong(941), now));
        let stale = all.unmet(&strong(940), now);
        assert_eq!(stale, Requirement { signed_in_within: Some(60), ..Requirement::default() });
        assert_eq!(stale.words(), "within the last 60 seconds");
    }
}
