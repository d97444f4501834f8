//! Who reads an explanation, and what of it they may know: the rules that are about the principal, and nobody else's groups
//!
//! What is left out is marked, and never depends on whether there was anything: else the mark would tell. To whom the groups of the
//! principal are none of their business nothing is told that hangs on them, but for the answer and the rule that made it
//! ([`Audience::hides`]): two principals with one answer by one rule are told of alike.

use std::cell::Cell;

use super::{
    asker::Asker,
    condition::Condition,
    document::{Rule, RuleEffect},
    evaluate::selects,
    explain::Question,
    selector::Selector,
};
use crate::identity::Guid;

/// A reader
#[derive(Debug, Clone, Default)]
pub struct Audience {
    /// May read the whole policy: also the rules that are for others, and whom they are for
    pub policy: bool,
    /// May read the groups of anybody
    pub groups: bool,
    /// Is the principal itself, whose own groups are no secret to it
    pub own: bool,
    /// Entra groups that the reader finds elsewhere anyway, such as in the catalog
    pub known: Vec<Guid>,
    /// Does not want to know what it would take
    pub brief: bool,
    hid_rules: Cell<bool>,
    hid_groups: Cell<bool>,
}

impl Audience {
    /// Whoever may know everything
    pub fn everything() -> Self {
        Self { policy: true, groups: true, ..Self::default() }
    }

    /// From bits that crossed the boundary: 1 the policy, 2 groups, 4 the principal itself, 8 in brief
    pub fn from_number(number: u32, known: Vec<Guid>) -> Self {
        Self {
            policy: number & 1 != 0,
            groups: number & 2 != 0,
            own: number & 4 != 0,
            brief: number & 8 != 0,
            known,
            ..Self::default()
        }
    }

    /// Whether the reader may know of a rule: one that is about the principal, or for everybody of a kind
    #[inline(never)]
    pub fn sees_rule(&self, question: &Question<'_>, rule: &Rule) -> bool {
        let open = self.sees_memberships();
        let is_about = |asker: &Asker<'_>| {
            let asker = if open { *asker } else { asker.without_groups() };
            selects(rule, &asker).unwrap_or(open && rule.effect == RuleEffect::Deny)
        };
        let seen = self.policy
            || is_about(&question.asker)
            || question.asker.person().is_some_and(|person| is_about(&person))
            || self.sees_selectors(rule);
        self.hid_rules.set(self.hid_rules.get() || !seen);
        seen
    }

    /// Whether the reader may know whom a rule is for
    pub fn sees_selectors(&self, rule: &Rule) -> bool {
        self.policy || rule.selectors.iter().flatten().all(|selector| matches!(selector, Selector::Kind(_)))
    }

    /// Whether the reader may know of a group
    pub fn sees_group(&self, question: &Question<'_>, group: Guid) -> bool {
        let seen = self.groups || self.known.contains(&group) || self.own && question.asker.is_in(group) == Some(true);
        self.hid_groups.set(self.hid_groups.get() || !seen);
        seen
    }

    /// Whether the reader may know in which groups the principal is
    pub fn sees_memberships(&self) -> bool {
        let seen = self.groups || self.own;
        self.hid_groups.set(self.hid_groups.get() || !seen);
        seen
    }

    /// Whether the reader may not know what a rule says to whoever asks: it hangs on the groups of the principal
    #[inline(never)]
    pub fn hides(&self, question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> bool {
        let owned = || question.permission.has_owner() && asks_for_ownership(rule);
        !self.sees_memberships() && selects(rule, &asker.without_groups()).is_none_or(|selected| selected && owned())
    }

    /// Whether the reader may not know how the answer came about, and what another would take: a rule asks for groups
    pub fn hides_working(&self, question: &Question<'_>) -> bool {
        let by_group = |rule: &Rule| rule.selectors.iter().flatten().any(|one| matches!(one, Selector::Group(_)));
        !self.sees_memberships() && question.covering().any(|rule| by_group(rule) || asks_for_ownership(rule))
    }

    /// What was left out so far: 1 groups, 2 rules
    pub fn withheld(&self) -> usize {
        usize::from(self.hid_groups.get()) | usize::from(self.hid_rules.get()) << 1_u32
    }
}

#[inline(never)]
fn asks_for_ownership(rule: &Rule) -> bool {
    rule.condition.as_ref().is_some_and(Condition::asks_for_ownership)
}
