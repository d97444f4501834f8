//! Who asks, as the policy sees them: the caller, or the person for whom an agent calls

use super::requirement::Requirement;
use crate::{
    directory::{Directory, EntityRef},
    identity::{GroupState, Guid, Principal, PrincipalKind},
    time::Timestamp,
};

/// Whether anything is known of who owns what
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The catalog has been read
    Known,
    /// Not yet: nobody owns for certain, and anybody may
    Unknown,
}

/// One who asks
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The record of the caller
    pub principal: &'a Principal,
    /// What kind they are
    pub kind: PrincipalKind,
    /// The entity that stands for them; `None` when that is not known
    pub entity: Option<&'a EntityRef>,
    /// Who is in which group, as far as that was loaded
    pub directory: &'a Directory,
    /// Whether anything is known of who owns what
    pub ownership: Ownership,
    /// When they ask
    pub now: Timestamp,
    /// Groups in which they are supposed to be, with all that those are in; mostly none
    pub granted: &'a [Guid],
    /// Whether every requirement counts as met: what a stronger sign-in would bring
    pub assured: bool,
}

impl<'a> Asker<'a> {
    /// The caller
    pub const fn new(
        principal: &'a Principal,
        entity: Option<&'a EntityRef>,
        directory: &'a Directory,
        ownership: Ownership,
        now: Timestamp,
    ) -> Self {
        Self { principal, kind: principal.kind, entity, directory, ownership, now, granted: &[], assured: false }
    }

    /// The person for whom an agent calls, by herself: with her groups and roles, which the token is about. Her entity is not
    /// known here
    pub fn person(&self) -> Option<Self> {
        self.principal.acts_for_person().then_some(Self { kind: PrincipalKind::User, entity: None, ..*self })
    }

    /// The same after the strongest sign-in there is
    #[must_use]
    pub const fn assured(self) -> Self {
        Self { assured: true, ..self }
    }

    /// Whether they are in a group: by the directory's word if it knows them; `None` also where only their token says that they are
    pub fn is_in(&self, group: Guid) -> Option<bool> {
        if self.granted.contains(&group) {
            return Some(true);
        }
        let listed = self.principal.groups.contains(group);
        match self.directory.is_in(self.principal, group) {
            None => listed,
            Some(false) => listed.filter(|listed| !listed),
            certain => certain,
        }
    }

    /// Whether their groups are known, so that ownership can be told
    pub fn knows_groups(&self) -> bool {
        self.principal.groups.state() != GroupState::Unknown
    }

    /// Whether they could be found not to own something: with everything known through which they might
    ///
    /// What an agent's person owns by her own entity is not known.
    pub fn knows_all_owners(&self) -> bool {
        self.knows_groups() && self.ownership == Ownership::Known && !self.principal.acts_for_person()
    }

    /// Whether they meet a rule's requirement
    pub fn meets(&self, requirement: &Requirement) -> bool {
        self.assured || requirement.is_met(&self.principal.assurance, self.now)
    }
}
