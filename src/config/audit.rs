//! The section `entraAccess.audit`: what is recorded, what happens when it cannot be, and for how long it is kept

use crate::{error::ConfigError, json::At, limits};

/// As configured; what is left out is the safe choice
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSettings {
    /// Which answers about reading are recorded beside refusals, by its place in [`READS`]
    pub reads: usize,
    /// What becomes of an answer that has to be recorded and cannot be, by its place in [`UNAVAILABLE`]
    pub unavailable: usize,
    /// Days for which records are kept; 0: for ever
    pub retention_days: u64,
}

/// `count`: how many there were
pub const READS: [&str; 3] = ["none", "count", "all"];

/// `answer`: it is given all the same, and counted as lost
pub const UNAVAILABLE: [&str; 2] = ["refuse", "answer"];

impl Default for AuditSettings {
    fn default() -> Self {
        Self { reads: 1, unavailable: 0, retention_days: 0 }
    }
}

impl AuditSettings {
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["reads", "unavailable", "retentionDays"])?;
        let mut settings = Self::default();
        if let Some(at) = at.member("reads") {
            settings.reads = at.word(&READS)?;
        }
        if let Some(at) = at.member("unavailable") {
            settings.unavailable = at.word(&UNAVAILABLE)?;
        }
        if let Some(at) = at.member("retentionDays") {
            settings.retention_days = at.number()?;
            if !(1..=limits::AUDIT_DAYS).contains(&settings.retention_days) {
                return Err(at.mistake("1 to 3660 days; leave it out to keep records for ever"));
            }
        }
        Ok(settings)
    }

    /// For the boundary: bits 0-1 `reads`, bit 2 `unavailable`, from bit 3 on the days
    pub fn number(&self) -> u32 {
        let days = u32::try_from(self.retention_days).unwrap_or(0);
        let words = self.reads | self.unavailable << 2;
        days << 3 | u32::try_from(words).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(text: &str) -> Result<AuditSettings, String> {
        let document = json::value(text).unwrap();
        AuditSettings::read(&At::root(&document, "audit")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_is_the_safe_choice() {
        let settings = AuditSettings { reads: 1, unavailable: 0, retention_days: 0 };
        assert_eq!(read("{}"), Ok(settings));
        assert_eq!((settings.number(), read(r#"{"reads": "all", "retentionDays": 30}"#).unwrap().number()), (1, 242));
        let chosen = read(r#"{"reads": "all", "unavailable": "answer", "retentionDays": 400}"#);
        assert_eq!(chosen, Ok(AuditSettings { reads: 2, unavailable: 1, retention_days: 400 }));
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (text, says) in [
            (r#"{"reads": "some"}"#, "audit.reads: unknown variant `some`, expected one of `none`, `count`, `all`"),
            (r#"{"reads": false}"#, "audit.reads: invalid type"),
            (r#"{"reads": null}"#, "audit.reads: invalid type"),
            (r#"{"unavailable": "allow"}"#, "audit.unavailable: unknown variant"),
            (r#"{"retentionDays": 0}"#, "audit.retentionDays: 1 to 3660 days"),
            (r#"{"retentionDays": 3661}"#, "audit.retentionDays: 1 to 3660 days"),
            (r#"{"retentionDays": "30"}"#, "audit.retentionDays: invalid type"),
            (r#"{"read": "all"}"#, "audit.read: unknown field"),
            ("[]", "audit: invalid type"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(says), "{message}\n  should start with {says}");
        }
    }
}
