//! Group membership as far as it is known; unknown is never empty

use super::Guid;

/// How much is known about the groups of a principal
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupState {
    /// The list is complete
    Known,
    /// The list could not be had (overage, absent claim): anything may be true
    Unknown,
    /// This kind of principal has no groups
    None,
}

impl GroupState {
    /// Every one
    pub const ALL: [Self; 3] = [Self::Known, Self::Unknown, Self::None];

    /// The word in records
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::None => "none",
        }
    }
}

/// Completes "`x` is not ...", and says why a name will not do
pub const GROUP_ID: &str = "a GUID, the object id of the group: display names and sAMAccountName are not unique";

/// A group list with its state
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
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

    /// Takes in the complete list that was found elsewhere; only where nothing is known, as a known list is never replaced
    pub fn complete(&mut self, ids: Vec<Guid>) -> bool {
        let unknown = self.state == GroupState::Unknown;
        if unknown {
            *self = Self::known(ids);
        }
        unknown
    }

    /// How much is known
    pub const fn state(&self) -> GroupState {
        self.state
    }

    /// The known ids; empty unless the state is [`GroupState::Known`]
    pub fn ids(&self) -> &[Guid] {
        &self.ids
    }

    /// The list for other use
    pub fn into_ids(self) -> Vec<Guid> {
        self.ids
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
