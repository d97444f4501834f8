//! The section `entraAccess.groups`: where group membership comes from, and which groups stand for which owners

use serde::Deserialize;

use crate::directory::GroupMapping;

/// What to do when a token leaves its groups out
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OveragePolicy {
    /// Go on with group state `unknown`: rules that need no groups still answer
    #[default]
    Unknown,
    /// Refuse the token with `groups_unknown`
    Reject,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupSection {
    pub(super) source: GroupSource,
    pub(super) overage: OveragePolicy,
    pub(super) mapping: Vec<GroupMapping>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum GroupSource {
    #[default]
    Token,
}
