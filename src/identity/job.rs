//! A verified CI job: by which entry it is trusted, and what the audit keeps of it

use serde::{Serialize, Serializer};

use crate::{error::ConfigError, json::At, time::Timestamp};

/// Begins the ids of the issuer profiles of pipelines; behind it stands the configured id
pub const PIPELINE: &str = "pipeline:";

/// Names with their values
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(Box<str>, Box<str>)>);

impl Pairs {
    /// The value under a name
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_ref())
    }

    /// One more
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.mapping()?;
        let mut pairs = Self::default();
        for name in at.names() {
            pairs.add(name, at.needed_text(name)?);
        }
        Ok(pairs)
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A verified job
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// `gitlab`, `bitbucket` or `github`
    pub r#type: Box<str>,
    /// Name of the trust entry
    pub trust: Box<str>,
    /// Immutable id of the project or repository
    pub subject: Box<str>,
    /// The claims by which policies may select
    pub published: Pairs,
    /// What is kept for the audit, by the names that the issuer gives it; it authorizes nothing
    pub job: Pairs,
    /// While it is there somebody has to claim the token first, and until then the caller is nobody
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_use: Option<SingleUse>,
}

/// A token that counts once
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SingleUse {
    /// The exact `iss`
    pub issuer: Box<str>,
    /// Its name among the issuer's tokens
    pub jti: Box<str>,
    /// From when on it is refused anyway, in seconds
    pub until: u64,
}

impl SingleUse {
    /// Of a token that is accepted until then
    pub fn new(issuer: &str, jti: &str, until: Timestamp) -> Self {
        Self { issuer: issuer.into(), jti: jti.into(), until: until.seconds() }
    }
}

impl Job {
    /// From a record, in which no token stands that has to be claimed first
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["type", "trust", "subject", "published", "job"])?;
        let (kind, trust, subject) = (at.needed_text("type")?, at.needed_text("trust")?, at.needed_text("subject")?);
        let published = Pairs::read(&at.needed("published")?)?;
        let job = Pairs::read(&at.needed("job")?)?;
        Ok(Self { r#type: kind.into(), trust: trust.into(), subject: subject.into(), published, job, single_use: None })
    }
}
