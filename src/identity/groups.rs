//! Group membership as far as it is known; unknown is never empty

use super::Guid;

/// How much is known about the groups of a principal
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupState {
    /// The list is complete
    Known,
    /// The list could not be had (overage, absent claim): anything may be true
    Unknown,
    /// This kind of principal has no groups
    None,
}

/// A group list with its state
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Groups {
    state: GroupState,
    ids: Vec<Guid>,
}

impl Groups {
    /// A complete list, in any order: it is searched a few times for each principal, sorting it would cost more
    pub const fn known(ids: Vec<Guid>) -> Self {
        Self { state: GroupState::Known, ids }
    }

    /// Nothing is known
    pub const fn unknown() -> Self {
        Self { state: GroupState::Unknown, ids: Vec::new() }
    }

    /// This kind of principal has none
    pub const fn none() -> Self {
        Self { state: GroupState::None, ids: Vec::new() }
    }

    /// How much is known
    pub const fn state(&self) -> GroupState {
        self.state
    }

    /// The known ids; empty unless the state is [`GroupState::Known`]
    pub fn ids(&self) -> &[Guid] {
        &self.ids
    }

    /// Whether the principal is a member: `None` when that is not known
    pub fn contains(&self, id: Guid) -> Option<bool> {
        match self.state {
            GroupState::Known => Some(self.ids.contains(&id)),
            GroupState::None => Some(false),
            GroupState::Unknown => None,
        }
    }
}
