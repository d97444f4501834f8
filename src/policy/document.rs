//! The policy as it is written: strict, every mistake with its place

use serde::{Deserialize, Deserializer};

use super::permission::Action;
use crate::identity::{Guid, PrincipalKind, groups::group_id};

/// A policy document
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// The rules, in any order
    pub rules: Vec<RuleDocument>,
}

/// One rule
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// Names the rule in decisions and audit
    pub id: String,
    /// What it does
    pub effect: RuleEffect,
    /// Exact names, `prefix.*`, or `*`
    pub permissions: Vec<String>,
    /// Only permissions with one of these actions; absent: with any or none
    #[serde(default, deserialize_with = "present")]
    pub actions: Option<Vec<Action>>,
    /// Any of these; absent: every verified principal
    #[serde(default, deserialize_with = "present")]
    pub principals: Option<Vec<Selector>>,
    /// Only under this condition
    #[serde(default, deserialize_with = "present")]
    pub when: Option<Condition>,
}

/// A key that is written down has a value: YAML reads `principals:` with nothing behind it as null, and null must not mean
/// "everybody"
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What a rule does
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleEffect {
    /// Allows
    Allow,
    /// Denies, whatever else allows
    Deny,
}

/// Selects principals by one property
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selector {
    /// Members of an Entra group, by object id
    Group(#[serde(deserialize_with = "group_id")] Guid),
    /// What an allow rule takes for a group and is a directory role: nobody is selected by it
    #[serde(skip)]
    DirectoryRole(Guid),
    /// Callers of a kind
    Kind(PrincipalKind),
    /// Callers with an app role
    Role(String),
}

/// A condition on the resource
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The caller owns the resource; `true` is the only value
    pub owned: bool,
}
