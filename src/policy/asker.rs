//! Who asks, as the policy sees them: the caller, or the person for whom an agent calls

use super::{fact::Fact, requirement::Requirement};
use crate::{
    directory::{
        Directory, EntityRef, Standing,
        following::{Gap, Word},
    },
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
    /// What it says of the caller
    pub standing: Standing,
    /// While the directory has no word, somebody who is named in the configuration is let in: whatever is not denied is allowed
    pub break_glass: bool,
    /// Whether anything is known of who owns what
    pub ownership: Ownership,
    /// When they ask
    pub now: Timestamp,
    /// What is taken to be so although it is not; mostly nothing
    pub supposed: &'a [Fact<'a>],
    /// Whether every requirement counts as met: what a stronger sign-in would bring
    pub assured: bool,
}

impl<'a> Asker<'a> {
    /// The caller
    pub const fn new(
        principal: &'a Principal,
        entity: Option<&'a EntityRef>,
        directory: &'a Directory,
        standing: Standing,
        ownership: Ownership,
        now: Timestamp,
    ) -> Self {
        let kind = principal.kind;
        let (supposed, break_glass, assured) = (&[], false, false);
        Self { principal, kind, entity, directory, standing, break_glass, ownership, now, supposed, assured }
    }

    /// The person for whom an agent calls, by herself: with her groups and roles, which the token is about. Her entity is not
    /// known here
    pub fn person(&self) -> Option<Self> {
        self.principal.acts_for_person().then_some(Self { kind: PrincipalKind::User, entity: None, ..*self })
    }

    /// The same as somebody sees them who may not know in which groups they are
    #[must_use]
    pub const fn without_groups(self) -> Self {
        let standing = Standing { word: Word::Nobody(Gap::NotLoaded), ..self.standing };
        Self { standing, ..self }
    }

    /// The same after the strongest sign-in there is
    #[must_use]
    pub const fn assured(self) -> Self {
        Self { assured: true, ..self }
    }

    /// Whether they are in a group; `None` when that is not known, as where the group was not loaded, or only a token says so that
    /// is newer than the directory, or names what the directory does not have
    pub fn is_in(&self, group: Guid) -> Option<bool> {
        // What is not known stays so, whatever is added to it.
        let known = self.knows_groups();
        if known && self.supposes_group(&|supposed| self.directory.is_inside(supposed, group)) {
            return Some(true);
        }
        let listed = || self.principal.groups.contains(group);
        match self.standing.word {
            Word::Record => listed().or_else(|| known.then_some(false)),
            Word::Nobody(_) => known.then_some(false),
            // Only tokens tell of them: what is followed is groups.
            Word::Directory if self.directory.is_role(group) => listed(),
            Word::Directory => {
                let found = self.directory.is_in(self.principal, group);
                // What the directory does not have may be a directory role.
                let told = || {
                    (self.standing.newer_token || !self.directory.knows(self.principal, group))
                        && listed() == Some(true)
                };
                let may_be = !found && (told() || !self.directory.covers(self.principal, group));
                (!may_be).then_some(found)
            }
        }
    }

    /// How much is known of their groups
    pub fn group_state(&self) -> GroupState {
        match self.standing.word {
            Word::Record => self.principal.groups.state(),
            Word::Nobody(_) => GroupState::Unknown,
            Word::Directory => GroupState::Known,
        }
    }

    /// Whether a group is supposed of which this holds
    pub fn supposes_group(&self, fits: &dyn Fn(Guid) -> bool) -> bool {
        self.supposed.iter().any(|fact| matches!(fact, Fact::Group(group) if fits(*group)))
    }

    /// How many groups of theirs are known
    pub fn group_count(&self) -> usize {
        match self.standing.word {
            Word::Record => self.principal.groups.ids().len(),
            Word::Nobody(_) => 0,
            Word::Directory => self.directory.count_of(self.principal),
        }
    }

    /// Whether their groups are known, so that ownership can be told
    pub fn knows_groups(&self) -> bool {
        self.group_state() != GroupState::Unknown || self.supposed.contains(&Fact::GroupsKnown)
    }

    /// Whether they could be found not to own something: with everything known through which they might
    ///
    /// What an agent's person owns by her own entity is not known.
    pub fn knows_all_owners(&self) -> bool {
        self.knows_groups() && self.ownership == Ownership::Known && !self.principal.acts_for_person()
    }

    /// Whether they meet a rule's requirement
    pub fn meets(&self, requirement: &Requirement) -> bool {
        self.assured || self.lacks(requirement) == Requirement::default()
    }

    /// What of a rule's requirement they do not meet
    pub fn lacks(&self, requirement: &Requirement) -> Requirement {
        let mut lacks = requirement.unmet(&self.principal.assurance, self.now);
        for fact in self.supposed {
            match fact {
                Fact::Context(context) => _ = lacks.auth_context.take_if(|lacking| lacking == context),
                Fact::Mfa => lacks.mfa = None,
                Fact::SignedInWithin(seconds) => _ = lacks.signed_in_within.take_if(|lacking| *lacking >= *seconds),
                _ => {}
            }
        }
        lacks
    }
}
